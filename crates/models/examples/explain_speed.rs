//! temp
use bist_models::*;
fn cpu() -> f64 {
    let t = std::fs::read_dir("/proc/self/task").unwrap();
    t.map(|t| {
        std::fs::read_to_string(t.unwrap().path().join("schedstat"))
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    })
    .sum::<f64>()
        / 1e9
}
fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let fitted =
        FittedGbdt::from_lightgbm_text(&std::fs::read_to_string("/tmp/x1/model.txt").unwrap())
            .unwrap();
    let bytes = std::fs::read("/tmp/x1/test.f32").unwrap();
    let v: Vec<f64> = bytes
        .chunks_exact(4)
        .map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap())))
        .collect();
    let columns = (0..40).map(|j| v.iter().skip(j).step_by(40).copied().collect()).collect();
    let names: Vec<String> = (0..40).map(|j| format!("Column_{j}")).collect();
    let x = FeatureMatrix::from_columns(names, columns).unwrap();
    let rows: Vec<usize> = (0..1000).collect();
    let back: Vec<usize> = (1000..1100).collect();
    let bg = FeatureMatrix::from_columns(
        x.names().to_vec(),
        (0..40).map(|j| x.column(j)[1000..1100].to_vec()).collect(),
    )
    .unwrap();
    let all = |x: &FeatureMatrix| (0..x.rows_count()).collect::<Vec<usize>>();
    let predict = |x: &FeatureMatrix| fitted.predict_features(x, &all(x));
    let which = std::env::args().nth(1).unwrap_or_default();
    for _ in 0..4 {
        let t = cpu();
        let e = fitted.contributions_batch(&x, &rows);
        let s = cpu() - t;
        let t = cpu();
        for r in 0..50 {
            std::hint::black_box(fitted.contributions(&x, r));
        }
        let one = (cpu() - t) / 50.0;
        println!(
            "batch {:.1} us/row; single {:.1} us; base {} {}",
            s * 1e3,
            one * 1e6,
            e[0].base,
            e[0].values[0]
        );
        if which == "shap" {
            continue;
        }
        let t = cpu();
        std::hint::black_box(
            fitted.interventional_contributions(&x, &rows[..100], &x, &back).unwrap(),
        );
        println!("interventional 100: {:.1} us/row", (cpu() - t) * 1e4);
        let t = cpu();
        std::hint::black_box(
            fitted.interventional_contributions(&x, &rows[..1], &x, &back).unwrap(),
        );
        println!("interventional 1: {:.1} us/row", (cpu() - t) * 1e6);
        let t = cpu();
        std::hint::black_box(fitted.interactions(&x, &rows[..100]));
        println!("interactions 100: {:.1} us/row", (cpu() - t) * 1e4);
        let five: Vec<usize> = (0..5000).collect();
        let t = cpu();
        std::hint::black_box(fitted.predict_features(&x, &five));
        println!("predict 5000: {:.2} ms", (cpu() - t) * 1e3);
        let t = cpu();
        std::hint::black_box(
            kernel_shap(predict, &x.row(0), &bg, KernelShapParams::default()).unwrap(),
        );
        println!("kernel: {:.1} ms", (cpu() - t) * 1e3);
        for n in [Neighbourhood::Quartiles, Neighbourhood::Normal] {
            let lime = Lime::new(&x, n).unwrap();
            let t = cpu();
            std::hint::black_box(lime.explain(predict, &x.row(0), LimeParams::default()).unwrap());
            println!("lime {n:?}: {:.1} ms", (cpu() - t) * 1e3);
        }
    }
}
