//! Classifiers of different kinds, trained on one third of the digits. Each sees the whole picture and is left as its
//! library sets it up where it can be: nothing here was chosen by how the fusion came out.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_bayes::{GaussianNb, NaiveBayes};
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};
use smartcore::tree::decision_tree_classifier::{DecisionTreeClassifier, DecisionTreeClassifierParameters};

use crate::Failure;
use crate::digits::{CLASSES, Digits, Part};
use crate::random::{below, shuffle};

const NEIGHBOURS: usize = 7;
const TREES: usize = 30;
/// Pixels that each tree of the forest sees.
const PIXELS_PER_TREE: usize = 16;
/// Added to every class's count before counts become probabilities, so that none is zero.
const LAPLACE: f64 = 0.1;

/// One classifier's name, how it was made, and its probabilities.
pub struct Source {
    pub name: &'static str,
    pub made: String,
    /// [B, C] on the calibration third.
    pub calibration: Array2<f64>,
    /// [B, C] on the test third.
    pub test: Array2<f64>,
}

/// Trains all of them.
pub fn train(digits: &Digits, seed: u64) -> Result<Vec<Source>, Failure> {
    let train = &digits.train;
    let mut sources = Vec::new();

    let all: Vec<usize> = (0..train.pixels.ncols()).collect();
    let x = matrix(train, &all)?;
    let parameters = KNNClassifierParameters::default().with_k(NEIGHBOURS);
    let knn = KNNClassifier::fit(&x, &train.labels, parameters)?;
    let neighbours = |part: &Part| -> Result<Array2<f64>, Failure> {
        let shares = knn.predict_proba(&matrix(part, &all)?)?;
        let shares = Array2::from_shape_fn((shares.len(), CLASSES), |(row, class)| shares[row][class]);
        Ok(smooth(&shares, NEIGHBOURS as f64))
    };
    sources.push(Source {
        name: "knn",
        made: format!("smartcore, {NEIGHBOURS} nearest neighbours, Laplace {LAPLACE} on their counts"),
        calibration: neighbours(&digits.calibration)?,
        test: neighbours(&digits.test)?,
    });

    let tree = Forest::fit(train, vec![((0..train.labels.len()).collect(), all.clone())])?;
    // This tree's probabilities are zeros and a one. What they are worth is counted on the calibration third.
    let decided = tree.shares(&digits.calibration)?;
    let labels = digits.calibration.labels.iter().map(|&label| label as usize);
    let mut counts = Array2::<f64>::zeros((CLASSES, CLASSES));
    for (row, label) in decided.rows().into_iter().zip(labels) {
        counts.row_mut(largest(&row.to_vec()))[label] += 1.0;
    }
    let worth = |decided: &Array2<f64>| {
        Array2::from_shape_fn(decided.dim(), |(row, class)| {
            let counted = counts.row(largest(&decided.row(row).to_vec()));
            (counted[class] + LAPLACE) / (counted.sum() + LAPLACE * CLASSES as f64)
        })
    };
    sources.push(Source {
        name: "tree",
        made: format!("smartcore, one decision tree; how often its decision is which class, counted on the calibration third, Laplace {LAPLACE}"),
        calibration: worth(&decided),
        test: worth(&tree.shares(&digits.test)?),
    });

    let mut random = SplitMix64::seed_from_u64(seed);
    let bags = (0..TREES).map(|_| {
        let rows = (0..train.labels.len()).map(|_| below(&mut random, train.labels.len())).collect();
        let mut pixels = all.clone();
        shuffle(&mut random, &mut pixels);
        pixels.truncate(PIXELS_PER_TREE);
        (rows, pixels)
    });
    let forest = Forest::fit(train, bags.collect())?;
    sources.push(Source {
        name: "forest",
        made: format!("smartcore, {TREES} bagged decision trees of {PIXELS_PER_TREE} random pixels each, Laplace {LAPLACE} on their votes"),
        calibration: smooth(&forest.shares(&digits.calibration)?, TREES as f64),
        test: smooth(&forest.shares(&digits.test)?, TREES as f64),
    });

    let targets = Array1::from_iter(train.labels.iter().map(|&label| label as usize));
    let regression = MultiLogisticRegression::default().fit(&Dataset::new(train.pixels.clone(), targets.clone()))?;
    sources.push(Source {
        name: "logistic",
        made: "linfa-logistic, multinomial".to_owned(),
        calibration: regression.predict_probabilities(&digits.calibration.pixels),
        test: regression.predict_probabilities(&digits.test.pixels),
    });

    // Pixels at the rim are always white: with the library's own smoothing of 1e-9 their densities overflow.
    let bayes = GaussianNb::params().var_smoothing(1e-2).fit(&Dataset::new(train.pixels.clone(), targets))?;
    let naive = |part: &Part| bayes.predict_proba(part.pixels.view()).0;
    sources.push(Source {
        name: "bayes",
        made: "linfa-bayes, Gaussian naive Bayes".to_owned(),
        calibration: naive(&digits.calibration),
        test: naive(&digits.test),
    });
    Ok(sources)
}

type Tree = DecisionTreeClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

/// Trees, each with the pixels it looks at.
struct Forest(Vec<(Tree, Vec<usize>)>);

impl Forest {
    /// One tree per pair of training rows and pixels.
    fn fit(train: &Part, bags: Vec<(Vec<usize>, Vec<usize>)>) -> Result<Self, Failure> {
        let fit = |(rows, pixels): (Vec<usize>, Vec<usize>)| {
            let bag = Part {
                items: Vec::new(),
                pixels: train.pixels.select(Axis(0), &rows),
                labels: rows.iter().map(|&row| train.labels[row]).collect(),
            };
            // Where two splits are equally good the generator decides; hence the seed.
            let parameters = DecisionTreeClassifierParameters { seed: Some(1), ..Default::default() };
            let tree = DecisionTreeClassifier::fit(&matrix(&bag, &pixels)?, &bag.labels, parameters)?;
            Ok((tree, pixels))
        };
        bags.into_iter().map(fit).collect::<Result<_, Failure>>().map(Self)
    }

    /// The mean of the trees' probabilities.
    fn shares(&self, part: &Part) -> Result<Array2<f64>, Failure> {
        let mut shares = Array2::zeros((part.labels.len(), CLASSES));
        for (tree, pixels) in &self.0 {
            let said = tree.predict_proba(&matrix(part, pixels)?)?;
            for (place, share) in shares.indexed_iter_mut() {
                *share += said.get(place) / self.0.len() as f64;
            }
        }
        Ok(shares)
    }
}

fn matrix(part: &Part, pixels: &[usize]) -> Result<DenseMatrix<f64>, Failure> {
    let rows = part.pixels.rows().into_iter().map(|row| pixels.iter().map(|&pixel| row[pixel]).collect());
    Ok(DenseMatrix::from_2d_vec(&rows.collect::<Vec<Vec<f64>>>())?)
}

/// Shares of `votes` votes with [`LAPLACE`] more for every class.
fn smooth(shares: &Array2<f64>, votes: f64) -> Array2<f64> {
    shares.mapv(|share| (share * votes + LAPLACE) / (votes + LAPLACE * CLASSES as f64))
}

fn largest(row: &[f64]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default()
}
