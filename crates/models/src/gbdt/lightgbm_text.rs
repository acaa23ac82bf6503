//! LightGBM's text format of models, version 4: written and read.
//!
//! Source: what LightGBM 4.7.0 itself writes and reads. Anything whose meaning we do not know
//! (several classes, linear leaves, an objective of the user's own) is refused with its line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::FittedGbdt;
use super::output::Output;
use super::tree::{CategorySet, Child, Leaf, Missing, Node, Test, Tree};

/// Bits of `decision_type`.
const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;
const MISSING_SHIFT: u8 = 2;

/// Why a text is not a model that we can read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelTextError {
    /// The text does not begin as LightGBM's models do.
    #[error("not a LightGBM model: the first line is not 'tree'")]
    NotAModel,
    /// The text ends early.
    #[error("the model text breaks off before 'end of trees'")]
    Truncated,
    /// A line is absent.
    #[error("{section} has no line '{key}='")]
    NoLine {
        /// Where: the header or a tree.
        section: String,
        /// The line's key.
        key: &'static str,
    },
    /// A line cannot be read.
    #[error("{section}: '{key}={value}' is not readable: expected {expected}")]
    Line {
        /// Where: the header or a tree.
        section: String,
        /// The line's key.
        key: &'static str,
        /// What stands there, shortened.
        value: String,
        /// What should.
        expected: String,
    },
    /// The model does something that we do not.
    #[error("{section} has {what}, which is not supported")]
    Unsupported {
        /// Where: the header or a tree.
        section: String,
        /// What it is.
        what: String,
    },
    /// The branches do not form a tree.
    #[error("{section} is not a tree: {what}")]
    Shape {
        /// Which tree.
        section: String,
        /// What is wrong.
        what: String,
    },
}

impl FittedGbdt {
    /// The model in LightGBM's text format, readable by LightGBM 4.
    pub fn to_lightgbm_text(&self) -> String {
        let trees: Vec<String> =
            self.trees.iter().enumerate().map(|(index, tree)| tree_text(index, tree)).collect();
        let mut text = format!(
            "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n\
             max_feature_idx={}\nobjective={}\n{}feature_names={}\nfeature_infos={}\n\
             tree_sizes={}\n\n",
            self.feature_names.len().saturating_sub(1),
            self.output.objective_line(),
            if self.output.is_averaged() { "average_output\n" } else { "" },
            self.feature_names.join(" "),
            self.feature_infos.join(" "),
            join(trees.iter().map(String::len)),
        );
        text.extend(trees);
        text.push_str("end of trees\n\nfeature_importances:\n");
        for (name, splits_count) in self.splits_counts() {
            // Writing to a String cannot fail.
            _ = writeln!(text, "{name}={splits_count}");
        }
        text.push_str("\nparameters:\nend of parameters\n\npandas_categorical:null\n");
        text
    }

    /// Reads a model in LightGBM's text format.
    ///
    /// # Errors
    ///
    /// [`ModelTextError`] naming the section and the line, for what is damaged and for what is not
    /// supported: linear leaves, several classes, and objectives that LightGBM does not define.
    pub fn from_lightgbm_text(text: &str) -> Result<Self, ModelTextError> {
        let mut lines = text.lines();
        if lines.next() != Some("tree") {
            return Err(ModelTextError::NotAModel);
        }
        let header = Section::read("the header".to_owned(), &mut lines);
        let output = read_header(&header)?;
        let feature_names: Vec<String> =
            header.line("feature_names")?.split_whitespace().map(str::to_owned).collect();
        let feature_infos: Vec<String> =
            header.line("feature_infos")?.split_whitespace().map(str::to_owned).collect();
        let features_count = header.number::<u32>("max_feature_idx")? as usize + 1;
        for (key, count) in
            [("feature_names", feature_names.len()), ("feature_infos", feature_infos.len())]
        {
            if count != features_count {
                return Err(header.wrong(key, &format!("{features_count} words")));
            }
        }

        let mut trees = Vec::new();
        loop {
            match lines.next() {
                None => return Err(ModelTextError::Truncated),
                Some("end of trees") => break,
                Some(line) => {
                    if let Some(index) = line.strip_prefix("Tree=") {
                        let section = Section::read(format!("tree {index}"), &mut lines);
                        trees.push(read_tree(&section, features_count)?);
                    }
                }
            }
        }
        // A tree without an empty line before it is read as a part of what stands above.
        if let Some(sizes) = header.lines.get("tree_sizes")
            && sizes.split_whitespace().count() != trees.len()
        {
            return Err(header.wrong("tree_sizes", &format!("sizes of {} trees", trees.len())));
        }
        Ok(Self::new(feature_names, feature_infos, trees, output))
    }

    /// How often each feature splits, most often first; those that never do are left out.
    fn splits_counts(&self) -> Vec<(&str, usize)> {
        let mut counts = vec![0; self.feature_names.len()];
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            counts[node.feature] += 1;
        }
        let mut named: Vec<(&str, usize)> = self
            .feature_names
            .iter()
            .map(String::as_str)
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .collect();
        named.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        named
    }
}

impl TryFrom<String> for FittedGbdt {
    type Error = ModelTextError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_lightgbm_text(&text)
    }
}

impl From<FittedGbdt> for String {
    fn from(fitted: FittedGbdt) -> Self {
        fitted.to_lightgbm_text()
    }
}

/// A number in the fewest digits that read back as the same number.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e16 || (size < 1e-5 && size > 0.0) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

fn join<T: ToString>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

fn tree_text(index: usize, tree: &Tree) -> String {
    let nodes = || tree.nodes.iter();
    let leaves = || tree.leaves.iter();
    let numbers = |values: &mut dyn Iterator<Item = f64>| join(values.map(number));
    let sets: Vec<&CategorySet> = nodes()
        .filter_map(|node| match &node.test {
            Test::Categories { set, .. } => Some(set),
            Test::Threshold { .. } => None,
        })
        .collect();
    // A categorical node has the number of its set in place of a threshold.
    let thresholds = nodes().scan(0_u32, |sets_count, node| match &node.test {
        Test::Threshold { threshold, .. } => Some(*threshold),
        Test::Categories { .. } => {
            *sets_count += 1;
            Some(f64::from(*sets_count - 1))
        }
    });
    let mut text =
        format!("Tree={index}\nnum_leaves={}\nnum_cat={}\n", tree.leaves.len(), sets.len());
    let lines = [
        ("split_feature", join(nodes().map(|node| node.feature))),
        ("split_gain", numbers(&mut nodes().map(|node| node.gain))),
        ("threshold", join(thresholds.map(number))),
        ("decision_type", join(nodes().map(decision_type))),
        ("left_child", join(nodes().map(|node| child_number(node.left)))),
        ("right_child", join(nodes().map(|node| child_number(node.right)))),
        ("leaf_value", numbers(&mut leaves().map(|leaf| leaf.value))),
        ("leaf_weight", numbers(&mut leaves().map(|leaf| leaf.weight))),
        ("leaf_count", join(leaves().map(|leaf| leaf.rows_count))),
        ("internal_value", numbers(&mut nodes().map(|node| node.value))),
        ("internal_weight", numbers(&mut nodes().map(|node| node.weight))),
        ("internal_count", join(nodes().map(|node| node.rows_count))),
    ];
    let boundaries = std::iter::once(0).chain(sets.iter().scan(0, |end, set| {
        *end += set.words.len();
        Some(*end)
    }));
    let categories = [
        ("cat_boundaries", join(boundaries)),
        ("cat_threshold", join(sets.iter().flat_map(|set| &set.words))),
    ];
    let categories = categories.into_iter().filter(|_| !sets.is_empty());
    let last = [("is_linear", "0".to_owned()), ("shrinkage", number(tree.shrinkage))];
    for (key, value) in lines.into_iter().chain(categories).chain(last) {
        // Writing to a String cannot fail.
        _ = writeln!(text, "{key}={value}");
    }
    text.push_str("\n\n");
    text
}

fn decision_type(node: &Node) -> u8 {
    let bits = |missing| match missing {
        Missing::None => 0,
        Missing::Zero => 1 << MISSING_SHIFT,
        Missing::NaN => 2 << MISSING_SHIFT,
    };
    match node.test {
        Test::Threshold { missing, missing_goes_left, .. } => {
            bits(missing) | if missing_goes_left { DEFAULT_LEFT } else { 0 }
        }
        Test::Categories { missing, .. } => bits(missing) | CATEGORICAL,
    }
}

/// Nodes are counted from 0 up, leaves from -1 down.
fn child_number(child: Child) -> i64 {
    match child {
        Child::Node(node) => i64::try_from(node).unwrap_or(i64::MAX),
        Child::Leaf(leaf) => -i64::try_from(leaf).unwrap_or(i64::MAX) - 1,
    }
}

/// The lines `key=value` up to an empty line.
struct Section<'a> {
    name: String,
    lines: BTreeMap<&'a str, &'a str>,
}

impl<'a> Section<'a> {
    fn read(name: String, lines: &mut std::str::Lines<'a>) -> Self {
        let lines = lines
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_once('=').unwrap_or((line, "")))
            .collect();
        Self { name, lines }
    }

    fn line(&self, key: &'static str) -> Result<&'a str, ModelTextError> {
        let absent = || ModelTextError::NoLine { section: self.name.clone(), key };
        self.lines.get(key).copied().ok_or_else(absent)
    }

    fn wrong(&self, key: &'static str, expected: &str) -> ModelTextError {
        let text = self.lines.get(key).copied().unwrap_or_default();
        let mut value: String = text.chars().take(40).collect();
        if value.len() < text.len() {
            value.push_str("...");
        }
        let (section, expected) = (self.name.clone(), expected.to_owned());
        ModelTextError::Line { section, key, value, expected }
    }

    fn number<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, ModelTextError> {
        self.line(key)?.parse().map_err(|_| self.wrong(key, "a whole number"))
    }

    /// A list of exactly `count` numbers.
    fn numbers<T: std::str::FromStr>(
        &self,
        key: &'static str,
        count: usize,
    ) -> Result<Vec<T>, ModelTextError> {
        let wrong = || self.wrong(key, &format!("{count} numbers"));
        let numbers: Vec<T> = self
            .line(key)?
            .split_whitespace()
            .map(|word| word.parse().map_err(|_| wrong()))
            .collect::<Result<_, _>>()?;
        if numbers.len() == count { Ok(numbers) } else { Err(wrong()) }
    }

    /// A list of exactly `count` finite numbers.
    fn finite(&self, key: &'static str, count: usize) -> Result<Vec<f64>, ModelTextError> {
        let numbers = self.numbers(key, count)?;
        if numbers.iter().all(|number: &f64| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(self.wrong(key, &format!("{count} finite numbers")))
        }
    }

    fn unsupported(&self, what: String) -> ModelTextError {
        ModelTextError::Unsupported { section: self.name.clone(), what }
    }
}

fn read_header(header: &Section<'_>) -> Result<Output, ModelTextError> {
    let version = header.line("version")?;
    if version != "v4" {
        return Err(header.unsupported(format!("version {version}")));
    }
    for key in ["num_class", "num_tree_per_iteration"] {
        if header.number::<usize>(key)? != 1 {
            return Err(header.unsupported(format!("more than one class ({key})")));
        }
    }
    let line = header.line("objective")?;
    Output::of_line(line, header.lines.contains_key("average_output"))
        .ok_or_else(|| header.unsupported(format!("the objective '{line}'")))
}

/// The sets of categories of a tree, in the order of their numbers.
fn read_category_sets(
    section: &Section<'_>,
    sets_count: usize,
) -> Result<Vec<CategorySet>, ModelTextError> {
    if sets_count == 0 {
        return Ok(Vec::new());
    }
    let ends = section.numbers::<usize>("cat_boundaries", sets_count.saturating_add(1))?;
    let words_count = ends[sets_count];
    let words = section.numbers::<u32>("cat_threshold", words_count)?;
    let sets: Option<Vec<CategorySet>> = ends
        .windows(2)
        .map(|pair| Some(CategorySet { words: words.get(pair[0]..pair[1])?.to_vec() }))
        .collect();
    sets.filter(|_| ends[0] == 0)
        .ok_or_else(|| section.wrong("cat_boundaries", "ascending numbers from 0"))
}

fn read_tree(section: &Section<'_>, features_count: usize) -> Result<Tree, ModelTextError> {
    let sets_count = section.number::<usize>("num_cat")?;
    if section.lines.get("is_linear").is_some_and(|flag| *flag != "0") {
        return Err(section.unsupported("linear leaves".to_owned()));
    }
    let leaves_count = section.number::<usize>("num_leaves")?;
    if leaves_count == 0 {
        return Err(section.wrong("num_leaves", "1 or more"));
    }
    let shrinkage = section.finite("shrinkage", 1)?[0];
    if leaves_count == 1 {
        // LightGBM leaves the counts of a lone leaf out.
        let rows_count = match section.lines.contains_key("leaf_count") {
            true => section.numbers::<u64>("leaf_count", 1)?[0],
            false => 0,
        };
        let leaf = section.finite("leaf_value", 1)?[0];
        return Ok(Tree { shrinkage, ..Tree::constant(leaf, rows_count) });
    }

    let nodes_count = leaves_count - 1;
    let features = section.numbers::<usize>("split_feature", nodes_count)?;
    let gains = section.finite("split_gain", nodes_count)?;
    let thresholds: Vec<f64> = section.numbers("threshold", nodes_count)?;
    // Infinity sends every known number left: the node asks only whether there is one.
    if !thresholds.iter().all(|threshold| threshold.is_finite() || *threshold == f64::INFINITY) {
        let expected = format!("{nodes_count} finite numbers, or inf");
        return Err(section.wrong("threshold", &expected));
    }
    let decisions = section.numbers::<u8>("decision_type", nodes_count)?;
    let lefts = section.numbers::<i64>("left_child", nodes_count)?;
    let rights = section.numbers::<i64>("right_child", nodes_count)?;
    let values = section.finite("internal_value", nodes_count)?;
    let weights = section.finite("internal_weight", nodes_count)?;
    let counts = section.numbers::<u64>("internal_count", nodes_count)?;
    if features.iter().any(|feature| *feature >= features_count) {
        return Err(section.wrong("split_feature", &format!("numbers below {features_count}")));
    }

    let sets = read_category_sets(section, sets_count)?;
    let mut shape = Shape { section, seen: vec![false; nodes_count + leaves_count], nodes_count };
    let mut nodes = Vec::with_capacity(nodes_count);
    for index in 0..nodes_count {
        let decision = decisions[index];
        let missing = match decision >> MISSING_SHIFT {
            0 => Missing::None,
            1 => Missing::Zero,
            2 => Missing::NaN,
            _ => return Err(section.wrong("decision_type", "numbers up to 11")),
        };
        let threshold = thresholds[index];
        let test = if decision & CATEGORICAL == 0 {
            let missing_goes_left = decision & DEFAULT_LEFT != 0;
            Test::Threshold { threshold, missing, missing_goes_left }
        } else {
            let named = |set: &usize| number(threshold) == set.to_string();
            let Some(set) = (0..sets.len()).find(named) else {
                let expected = format!("sets of categories below {}", sets.len());
                return Err(section.wrong("threshold", &expected));
            };
            Test::Categories { set: sets[set].clone(), missing }
        };
        nodes.push(Node {
            feature: features[index],
            test,
            left: shape.child(index, lefts[index])?,
            right: shape.child(index, rights[index])?,
            gain: gains[index],
            value: values[index],
            weight: weights[index],
            rows_count: counts[index],
        });
    }
    let leaf_values = section.finite("leaf_value", leaves_count)?;
    let leaf_weights = section.finite("leaf_weight", leaves_count)?;
    let leaf_counts = section.numbers::<u64>("leaf_count", leaves_count)?;
    // Shares of rows are what explanations are made of; none may be a share of nothing.
    for (key, counts) in [("internal_count", &counts), ("leaf_count", &leaf_counts)] {
        if counts.contains(&0) {
            return Err(section.wrong(key, "positive numbers"));
        }
    }
    let leaves = (0..leaves_count)
        .map(|index| Leaf {
            value: leaf_values[index],
            weight: leaf_weights[index],
            rows_count: leaf_counts[index],
        })
        .collect();
    Ok(Tree { nodes, leaves, shrinkage })
}

/// Checks while reading that every node but the first, and every leaf, hangs from one branch of an
/// earlier node. As many branches as nodes and leaves to hang then leave no cycle and no orphan.
struct Shape<'a> {
    section: &'a Section<'a>,
    seen: Vec<bool>,
    nodes_count: usize,
}

impl Shape<'_> {
    fn child(&mut self, parent: usize, number: i64) -> Result<Child, ModelTextError> {
        let wrong =
            |what: String| Err(ModelTextError::Shape { section: self.section.name.clone(), what });
        let (child, place) = match usize::try_from(number) {
            Ok(node) if node <= parent => {
                return wrong(format!("node {parent} leads back to node {node}"));
            }
            Ok(node) if node < self.nodes_count => (Child::Node(node), node),
            Ok(node) => {
                return wrong(format!("node {parent} leads to node {node}, which is not there"));
            }
            Err(_) => {
                let leaf = usize::try_from(-(number + 1)).unwrap_or(usize::MAX);
                if leaf > self.nodes_count {
                    return wrong(format!(
                        "node {parent} leads to leaf {leaf}, which is not there"
                    ));
                }
                (Child::Leaf(leaf), self.nodes_count + leaf)
            }
        };
        if self.seen[place] {
            return wrong(format!("two branches lead to {child:?}"));
        }
        self.seen[place] = true;
        Ok(child)
    }
}
