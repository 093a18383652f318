//! Broadcasting, and the graph of computation.

use std::panic::catch_unwind;

use burn::tensor::Tensor;

use super::{assert_close, device, double, host, random, rng};

/// A matrix with its own elements of a function of (row, column).
fn matrix(shape: [usize; 2]) -> (Tensor<2>, Vec<f64>) {
    let data = random(shape, &mut rng(shape[0] as u64 * 10 + shape[1] as u64));
    let elements = data.iter::<f64>().collect();
    (double(data), elements)
}

/// What broadcasting means: each element takes row and column modulo the size of its operand.
fn broadcast(
    shapes: [[usize; 2]; 2],
    operands: [&[f64]; 2],
    f: fn(f64, f64) -> f64,
) -> ([usize; 2], Vec<f64>) {
    let [one, other] = shapes;
    let [rows, columns] = [one[0].max(other[0]), one[1].max(other[1])];
    let at = |shape: [usize; 2], elements: &[f64], row, column| {
        elements[row % shape[0] * shape[1] + column % shape[1]]
    };
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let value =
        |(row, column)| f(at(one, operands[0], row, column), at(other, operands[1], row, column));
    ([rows, columns], cells.map(value).collect())
}

#[test]
fn a_row_a_column_and_both_are_stretched_over_a_sum() {
    for (shapes, expected) in
        [([[3, 4], [1, 4]], [3, 4]), ([[3, 4], [3, 1]], [3, 4]), ([[4, 1], [1, 3]], [4, 3])]
    {
        let [(one, ones), (other, others)] = shapes.map(matrix);
        let sum = one + other;
        let (shape, elements) = broadcast(shapes, [&ones, &others], |one, other| one + other);
        assert_eq!((sum.dims(), shape), (expected, expected));
        assert_close(&host(sum), &elements, 0.0);
    }
}

#[test]
fn the_star_is_elementwise_and_stretches_a_column() {
    let shapes = [[3, 3], [3, 1]];
    let [(one, ones), (other, others)] = shapes.map(matrix);
    let product = one * other;
    let (shape, elements) = broadcast(shapes, [&ones, &others], |one, other| one * other);
    assert_eq!((product.dims(), shape), ([3, 3], [3, 3]));
    assert_close(&host(product), &elements, 0.0);
}

#[test]
fn shapes_that_do_not_broadcast_are_refused() {
    for [one, other] in [[[3, 4], [3, 2]], [[3, 4], [4, 3]], [[3, 4], [2, 4]], [[4, 3], [3, 3]]] {
        let operands = || (matrix(one).0, matrix(other).0);
        let sum = catch_unwind(|| operands().0 + operands().1);
        let product = catch_unwind(|| operands().0 * operands().1);
        assert!(sum.is_err(), "{one:?} + {other:?}");
        assert!(product.is_err(), "{one:?} * {other:?}");
    }
}

#[test]
fn the_derivatives_of_the_courses_graph_are_three_six_and_nine() {
    let leaf = |value: f64| Tensor::<1>::from_data([value], &device()).require_grad();
    let (a, b, c) = (leaf(5.0), leaf(3.0), leaf(2.0));
    let j = (a.clone() + b.clone() * c.clone()) * 3.0;
    assert_close(&host(j.clone()), &[33.0], 0.0);
    let gradients = j.backward();
    let derivative = |of: &Tensor<1>| host(of.grad(&gradients).unwrap());
    assert_eq!([derivative(&a), derivative(&b), derivative(&c)], [[3.0], [6.0], [9.0]]);

    let v = (a + b * c).detach().require_grad();
    let gradients = (v.clone() * 3.0).backward();
    assert_eq!(host(v.grad(&gradients).unwrap()), [3.0]);
}
