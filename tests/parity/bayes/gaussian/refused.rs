//! What is no normal distribution.

use consilience::bayes::{Gaussians, Least, covariance_intersection, fuse_gaussians};

use crate::support::engines;

/// Of 300 items in two dimensions; item 270 has this mean and covariance.
fn with(mean: f32, covariance: [f32; 3]) -> Gaussians {
    let mut means = vec![1.0; 600];
    let mut planes = [vec![2.0; 300], vec![0.5; 300], vec![1.0; 300]];
    means[300 + 270] = mean;
    planes.iter_mut().zip(covariance).for_each(|(plane, entry)| plane[270] = entry);
    // And another one behind it.
    planes[0][299] = -1.0;
    Gaussians::new(2, means, planes.concat()).expect("planes")
}

fn good() -> Gaussians {
    Gaussians::new(2, vec![1.0; 600], [vec![2.0; 300], vec![0.5; 300], vec![1.0; 300]].concat()).expect("planes")
}

#[test]
fn a_source_that_is_none_is_named() {
    let good = good();
    for (mean, covariance, want) in [
        (f32::NAN, [2.0, 0.5, 1.0], "the mean of item 270, source 2, is NaN, it must be from -1e9 to 1e9"),
        (f32::INFINITY, [2.0, 0.5, 1.0], "the mean of item 270, source 2, is inf, it must be from -1e9 to 1e9"),
        (0.0, [2.0, f32::NAN, 1.0], "the covariance of item 270, source 2, is NaN, it must be from -1e9 to 1e9"),
        (0.0, [0.0, 0.0, 1.0], "the variance of item 270, source 2, is 0, it must be at least 1e-9"),
        (0.0, [2.0, 0.5, -1.0], "the variance of item 270, source 2, is -1, it must be at least 1e-9"),
        (
            0.0,
            [1.0, 2.0, 1.0],
            "the covariance of item 270, source 2, is not positive definite: with the dimensions before it known, -3 is \
             left of the variance 1 of dimension 1",
        ),
        (
            0.0,
            [1.0, 1.0, 1.0],
            "the covariance of item 270, source 2, is not positive definite: with the dimensions before it known, 0 is \
             left of the variance 1 of dimension 1",
        ),
    ] {
        let bad = with(mean, covariance);
        for (name, engine) in engines::all() {
            let error = fuse_gaussians(engine, &[&good, &good, &bad], &[1.0; 3]).expect_err("no distribution");
            assert_eq!((error.to_string().as_str(), error.is_bayes()), (want, true), "{name}");
            let error = covariance_intersection(engine, &[&good, &good, &bad], Least::Trace).expect_err("none");
            assert_eq!(error.to_string(), want, "{name}");
            let alone = covariance_intersection(engine, &[&bad], Least::Trace).expect_err("none").to_string();
            assert_eq!(alone, want.replace("source 2", "source 0"), "{name}");
        }
    }
}

#[test]
fn shapes_and_weights_that_do_not_fit() {
    let (_, engine) = &engines::all()[0];
    for dimensions in [0, 7] {
        let error = Gaussians::new(dimensions, vec![], vec![]).expect_err("no dimensions").to_string();
        assert_eq!(error, format!("the number of dimensions is {dimensions}, it must be from 1 to 6"));
    }
    let error = Gaussians::new(2, vec![0.0; 4], vec![0.0; 5]).expect_err("a short plane");
    assert_eq!(
        (error.to_string().as_str(), error.is_shape()),
        ("the covariance has 5 entries where 6 are needed", true)
    );
    let (good, one) = (good(), Gaussians::new(1, vec![0.0], vec![1.0]).expect("planes"));
    assert!(fuse_gaussians(engine, &[&good, &one], &[1.0; 2]).expect_err("other dimensions").is_shape());
    let error = fuse_gaussians(engine, &[], &[]).expect_err("no source").to_string();
    assert_eq!(error, "the number of sources is 0, it must be at least 1");
    assert!(covariance_intersection(engine, &[], Least::Trace).expect_err("no source").is_bayes());
    let error = fuse_gaussians(engine, &[&one; 129], &[1.0; 129]).expect_err("too many").to_string();
    assert_eq!(error, "the number of sources is 129, it must be from 1 to 128");
    assert!(fuse_gaussians(engine, &[&one; 2], &[1.0]).expect_err("a short list").is_shape());
    for weight in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = fuse_gaussians(engine, &[&one; 2], &[1.0, weight]).expect_err("no weight").to_string();
        assert_eq!(error, format!("the weight in plane 1 is {weight}, it must be from 1e-6 to 1e6"));
    }
}
