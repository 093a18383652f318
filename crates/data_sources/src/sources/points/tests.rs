//! The expected values are those of NumPy 2.4.6 and scikit-learn 1.9.1.

use super::*;

fn config(shape: Shape, train: usize, seed: u64) -> PointsConfig {
    PointsConfig { shape, train, seed, ..Default::default() }
}

#[test]
#[rustfmt::skip]
fn points_equal_those_of_numpy_and_scikit_learn() {
    let noisy =
        PointsConfig { noise: Some(0.3), factor: Some(0.5), ..config(Shape::Circles, 200, 1) };
    // The first points with their classes, the sums of x and y, and the sum of the indices of the
    // points of class 1.
    for (points, first, sums, index_sum) in [
        (PointsConfig::default().generate().0,
            [([1.204442292254319, 3.5761141481288448], 0), ([0.15870990398255372, -1.4821709003683443], 0),
             ([0.09524719604502052, -1.2799553276531797], 0), ([0.3491784746396591, -2.064379974990181], 0)],
            [-17.338363670404423, 27.426346947846078], 59900),
        (config(Shape::Moons, 300, 3).generate().0,
            [([-0.21687013460912397, 1.0154493742029873], 0), ([0.8050501531955674, -0.5579733951321297], 1),
             ([0.7112745129750352, -0.4100602407591063], 1), ([2.1085556194555104, 0.5208149143227435], 1)],
            [149.62770561040102, 79.68444213648151], 22816),
        (config(Shape::Circles, 300, 1).generate().0,
            [([-0.07741354010048114, 0.8526022642742742], 1), ([0.43186959584803564, -0.8721450395952108], 0),
             ([0.07916502322979652, 0.8406610985900007], 1), ([-0.6309210111612984, 0.3962870667686345], 1)],
            [0.08752101204353989, 0.015659577954550006], 21993),
        (config(Shape::Circles, 300, 1).generate().1,
            [([-0.5242373850862546, -0.6091036148461817], 1), ([-0.8508922630636758, -0.5214512721012066], 0),
             ([0.5540839520797971, 0.4871108447794652], 1), ([-1.0079642422777233, 0.1692031805153818], 0)],
            [0.1201329108172116, -0.5383859814779955], 2596),
        (noisy.generate().0,
            [([-0.9477598904183309, -0.5840021590623449], 0), ([-0.6627387325452524, 1.1095071606603417], 0),
             ([-0.5151358535002293, 0.9863003428083016], 0), ([0.30095084396769356, -0.17106546972808948], 1)],
            [4.468320981419293, 1.886848613558496], 10194),
        (config(Shape::Blobs, 200, 5).generate().0,
            [([-0.8781328096272221, 2.7834450949094887], 0), ([5.947037461067236, -0.057232368808558864], 1),
             ([-4.10966026553403, -6.194788776947933], 0), ([5.300803860654236, 0.24070153550528087], 1)],
            [-639.692973121087, 592.2363332454706], 10899),
        (config(Shape::Quantiles, 200, 1).generate().0,
            [([0.35016728530518415, -0.12353378894863909], 0), ([-1.9750093440340477, 1.3700397628522565], 1),
             ([0.07511080848140979, -1.0788188975286153], 1), ([-0.8360251647747364, -0.47075953442418517], 1)],
            [10.651152479151857, 3.691593248144709], 9192),
    ] {
        assert_points(&points, &first, sums, index_sum);
    }
}

fn assert_points(points: &Points, first: &[([f64; 2], u32)], sums: [f64; 2], index_sum: usize) {
    for (&(expected, class), &(feature, label)) in first.iter().zip(points) {
        let near = |axis: usize| (feature[axis] - expected[axis]).abs() < 1e-12;
        assert!(near(0) && near(1) && label == class, "{feature:?} {label}, not {expected:?}");
    }
    for axis in 0..2 {
        let sum = points.iter().map(|(feature, _)| feature[axis]).sum::<f64>();
        assert!((sum - sums[axis]).abs() < 1e-10, "{sum}, not {}", sums[axis]);
    }
    let ones = points.iter().enumerate().filter(|(_, (_, label))| *label == 1);
    assert_eq!(ones.map(|(index, _)| index).sum::<usize>(), index_sum);
}

#[test]
fn test_blobs_have_the_centres_of_the_training_blobs() {
    let (train, test) =
        PointsConfig { test: 400, noise: Some(0.01), ..config(Shape::Blobs, 400, 1) }.generate();
    for (feature, label) in &test {
        let mut known = train.iter();
        let near = |one: &[f64; 2]| (one[0] - feature[0]).hypot(one[1] - feature[1]) < 0.1;
        assert!(known.any(|(one, class)| near(one) && class == label), "{feature:?} {label}");
    }
}

#[test]
fn field_classes_are_balanced_and_mostly_separable_by_a_line() {
    let (train, test) = PointsConfig { test: 2000, ..config(Shape::Field, 2000, 1) }.generate();
    assert_ne!(train, test);
    for points in [train, test] {
        let ones = points.iter().filter(|(_, label)| *label == 1).count();
        assert!((900..1100).contains(&ones), "{ones}");
        let separated = points.iter();
        let separated =
            separated.filter(|([x, y], label)| u32::from(*y > 2.0 * x + 0.2) == *label).count();
        assert!((1800..1900).contains(&separated), "{separated}");
    }
}

fn problems(config: &PointsConfig) -> Vec<String> {
    let mut check = Check::default();
    config.check(&mut check);
    check.into_problems().into_iter().map(|problem| problem.key).collect()
}

#[test]
fn every_shape_is_generated_with_defaults_and_with_two_points() {
    use Shape::{Blobs, Circles, Field, Flower, Moons, Quantiles};
    for shape in [Flower, Moons, Circles, Blobs, Quantiles, Field] {
        for train in [2, 400] {
            let config = config(shape, train, 1);
            assert_eq!(problems(&config), [""; 0]);
            let (points, test) = config.generate();
            assert_eq!((points.len(), test.len()), (train, 100));
            assert!(points.iter().all(|(_, label)| *label < 2));
            assert!(
                points.iter().all(|(feature, _)| feature.iter().all(|value| value.is_finite()))
            );
        }
    }
}

#[test]
fn all_invalid_values_are_reported() {
    let config = PointsConfig { train: 401, test: 3, factor: Some(0.5), ..Default::default() };
    assert_eq!(problems(&config), ["train", "test", "factor"]);
    let odd = PointsConfig { train: 401, test: 101, shape: Shape::Moons, ..Default::default() };
    assert_eq!(problems(&odd), [""; 0]);
}
