//! Times a training step, one window and a batch of windows of the recurrent network on the arrays
//! of the script that generates the peers' data, for comparison with `PyTorch`.
//!
//! Usage: `lstm FOLDER`, with `windows.npy` (windows x steps x features) and `targets.npy`, both
//! single precision. Two layers of 64 units, mini-batches of 64, one thread.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::path::Path;
use std::time::Instant;

use bist_market::Symbol;
use bist_models::{FeatureMatrix, FittedForecaster, Known, Lstm, LstmParams, RowKey};
use jiff::civil::date;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else { return Err("usage: lstm FOLDER".into()) };
    let (shape, windows) = read_npy(&Path::new(folder).join("windows.npy"))?;
    let (_, targets) = read_npy(&Path::new(folder).join("targets.npy"))?;
    let &[count, steps, features] = shape.as_slice() else {
        return Err(format!("windows.npy has shape {shape:?}, and must have three axes").into());
    };

    // Each window is an unbroken stretch of one symbol's rows, and its last row has the target.
    let key = RowKey::daily(date(2024, 1, 2), Symbol::parse("XU100")?);
    let columns = (0..features)
        .map(|j| windows.iter().skip(j).step_by(features).map(|v| f64::from(*v)).collect())
        .collect();
    let names = (0..features).map(|j| j.to_string()).collect();
    let known = Known {
        keys: vec![key; count * steps],
        features: FeatureMatrix::from_columns(names, columns)?,
        log_close: vec![0.0; count * steps],
        stretch: (0..count * steps)
            .map(|row| u32::try_from(row / steps))
            .collect::<Result<_, _>>()?,
    };
    let rows: Vec<usize> = (1..=count).map(|window| window * steps - 1).collect();
    let mut y = vec![0.0; count * steps];
    for (&row, target) in rows.iter().zip(&targets) {
        y[row] = f64::from(*target);
    }

    let params = LstmParams {
        steps: u32::try_from(steps)?,
        layers: 2,
        hidden: 64,
        embedding: 0,
        dropout: 0.0,
        weight_decay: 0.0,
        gradient_norm_max: 1e9,
        batch_size: 64,
        ..LstmParams::default()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let fit = |epochs_max: u32| {
        let lstm = Lstm { params: LstmParams { epochs_max, ..params }, seed: 1 };
        let started = Instant::now();
        let fitted = pool.install(|| lstm.fit_network(&known, &y, &rows, &[]));
        fitted.map(|fitted| (fitted, started.elapsed().as_secs_f64()))
    };
    // What is done once is taken off by the difference between one epoch and three.
    let steps_count = 2.0 * (count.div_ceil(64)) as f64;
    let mut step_times = Vec::new();
    for _ in 0..3 {
        let (_, one) = fit(1)?;
        let (_, three) = fit(3)?;
        step_times.push((three - one) / steps_count);
    }
    println!("train_step_ms {:.3} (median of 3)", 1e3 * median(&mut step_times));

    let (fitted, _) = fit(3)?;
    let predict_times = |rows: &[usize], repeats: usize| {
        let predict = || {
            let started = Instant::now();
            std::hint::black_box(fitted.predict(&known, rows));
            started.elapsed().as_secs_f64()
        };
        // Within the pool, so that waking its thread is not measured.
        median(&mut pool.install(|| (0..repeats).map(|_| predict()).collect::<Vec<f64>>()))
    };
    println!("one_window_ms {:.4} (median of 1000)", 1e3 * predict_times(&rows[..1], 1000));
    println!("batch_64_ms {:.3} (median of 100)", 1e3 * predict_times(&rows[..64], 100));
    let predicted = fitted.predict(&known, &rows);
    let errors = predicted.iter().zip(&targets).map(|(p, y)| (p - f64::from(*y)).powi(2));
    println!("mse_after_3_epochs {:.5}", errors.sum::<f64>() / count as f64);
    Ok(())
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Shape and numbers of an array of little-endian single precision in C order.
fn read_npy(path: &Path) -> Result<(Vec<usize>, Vec<f32>), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(path)?;
    let wrong = || format!("{} is not a version 1 array of '<f4' in C order", path.display());
    let header_len = match bytes.get(..10) {
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high]) => {
            usize::from(u16::from_le_bytes([*low, *high]))
        }
        _ => return Err(wrong().into()),
    };
    let header = std::str::from_utf8(bytes.get(10..10 + header_len).ok_or_else(wrong)?)?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(wrong().into());
    }
    let axes = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let axes = axes.ok_or_else(wrong)?.0.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape = axes.map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let (numbers, _) = bytes[10 + header_len..].as_chunks::<4>();
    Ok((shape, numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()))
}
