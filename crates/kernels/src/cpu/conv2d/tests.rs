//! Comparison with the definition of a convolution.

use super::*;

fn random_values<T: SimdFloat>(count: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            T::from((state >> 40) as f64 / f64::from(1 << 23) - 1.0).unwrap()
        })
        .collect()
}

/// Calls `visit` with the indices of x, weight and y of each product.
fn each_product(conv: &Conv2d, mut visit: impl FnMut(usize, usize, usize)) {
    let [(kh, kw), (sh, sw), (ph, pw)] =
        [conv.kernel, conv.stride, conv.padding_before()].map(|[a, b]| (a, b));
    let (oh, ow, ci) = (conv.out_height(), conv.out_width(), conv.in_channels);
    for n in 0..conv.batch {
        for (oy, ox) in (0..oh).flat_map(|oy| (0..ow).map(move |ox| (oy, ox))) {
            for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                let (iy, ix) = ((oy * sh + ky).wrapping_sub(ph), (ox * sw + kx).wrapping_sub(pw));
                if iy >= conv.height || ix >= conv.width {
                    continue;
                }
                for o in 0..conv.out_channels {
                    let y = ((n * oh + oy) * ow + ox) * conv.out_channels + o;
                    let inputs = if conv.is_depthwise { o..o + 1 } else { 0..ci };
                    for (position, i) in inputs.clone().enumerate() {
                        let x = ((n * conv.height + iy) * conv.width + ix) * ci + i;
                        visit(x, ((o * inputs.len() + position) * kh + ky) * kw + kx, y);
                    }
                }
            }
        }
    }
}

struct Case<T> {
    conv: Conv2d,
    x: Vec<T>,
    w: Vec<T>,
    b: Vec<T>,
    dy: Vec<T>,
}

impl<T: SimdFloat> Case<T> {
    fn new(conv: Conv2d) -> Self {
        let outputs = conv.batch * conv.out_height() * conv.out_width() * conv.out_channels;
        let inputs = if conv.is_depthwise { 1 } else { conv.in_channels };
        Self {
            conv,
            x: random_values(conv.batch * conv.height * conv.width * conv.in_channels, 1),
            w: random_values(conv.out_channels * inputs * conv.kernel[0] * conv.kernel[1], 2),
            b: random_values(conv.out_channels, 3),
            dy: random_values(outputs, 4),
        }
    }

    /// y, dx, dw, db
    fn results(&self) -> [Vec<T>; 4] {
        // Every value must be overwritten.
        let nan = |like: &[T]| vec![T::nan(); like.len()];
        let mut results = [nan(&self.dy), nan(&self.x), nan(&self.w), nan(&self.b)];
        let [y, dx, dw, db] = &mut results;
        self.conv.forward(&self.x, &self.conv.packed_filters(&self.w), Some(&self.b), y);
        self.conv.backward_input(&self.dy, &self.w, dx);
        self.conv.backward_weight(&self.x, &self.dy, dw);
        self.conv.backward_bias(&self.dy, db);
        results
    }

    fn expected(&self) -> [Vec<f64>; 4] {
        let to_f64 = |v: &[T]| v.iter().map(|v| v.to_f64().unwrap()).collect::<Vec<_>>();
        let [x, w, b, dy] = [&self.x, &self.w, &self.b, &self.dy].map(|v| to_f64(v));
        let co = self.conv.out_channels;
        let mut y: Vec<f64> = (0..dy.len()).map(|i| b[i % co]).collect();
        let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; co]);
        each_product(&self.conv, |i, j, k| {
            y[k] += x[i] * w[j];
            dx[i] += dy[k] * w[j];
            dw[j] += dy[k] * x[i];
        });
        dy.iter().enumerate().for_each(|(i, dy)| db[i % co] += dy);
        [y, dx, dw, db]
    }

    /// Returns the largest error of each result, relative to its largest value.
    fn errors(&self) -> [f64; 4] {
        let (results, expected) = (self.results(), self.expected());
        std::array::from_fn(|i| {
            let largest = expected[i].iter().fold(1e-30, |a: f64, b| a.max(b.abs()));
            let differences = results[i].iter().zip(&expected[i]);
            let differences = differences.map(|(a, b)| (a.to_f64().unwrap() - b).abs() / largest);
            // `f64::max` would ignore NaN.
            differences.fold(0.0, |a, b| if b <= a { a } else { b })
        })
    }
}

fn conv(
    (batch, height, width): (usize, usize, usize),
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Conv2d {
    let [in_channels, out_channels] = channels;
    let (padding, is_depthwise) = (padding.map(|padding| [padding; 2]), false);
    Conv2d {
        batch,
        height,
        width,
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
        is_depthwise,
    }
}

/// A depthwise convolution of 3 images of 9 x 8, with zeros `before` the first and `after` the last row
/// and column.
fn depthwise(channels: usize, kernel: usize, stride: usize, [before, after]: [usize; 2]) -> Conv2d {
    let conv = conv((3, 9, 8), [channels; 2], [kernel; 2], [stride; 2], [0; 2]);
    Conv2d { padding: [[before, after]; 2], is_depthwise: true, ..conv }
}

fn shapes() -> Vec<Conv2d> {
    let mut shapes = Vec::new();
    for channels in [[1, 1], [3, 5], [3, 32], [16, 16], [33, 20], [32, 64], [13, 33], [5, 40]] {
        for (kernel, padding) in [
            ([3, 3], [1, 1]),
            ([3, 3], [0, 0]),
            ([3, 3], [2, 3]),
            ([1, 1], [0, 0]),
            ([2, 5], [1, 2]),
            ([7, 4], [3, 0]),
            ([6, 1], [0, 1]),
        ] {
            for stride in [[1, 1], [2, 2], [1, 3], [5, 2]] {
                shapes.push(conv((2, 7, 9), channels, kernel, stride, padding));
            }
        }
        for (height, width) in [(1, 1), (2, 2), (1, 6), (5, 1), (6, 7), (11, 4)] {
            shapes.push(conv((3, height, width), channels, [3, 3], [1, 1], [1, 1]));
            shapes.push(conv((3, height, width), channels, [1, 1], [2, 2], [0, 0]));
        }
    }
    for channels in [1, 4, 23, 96] {
        for (kernel, padding) in [(3, [1, 1]), (3, [0, 1]), (5, [1, 2]), (1, [0, 0]), (4, [2, 0])] {
            shapes.extend([1, 2, 3].map(|stride| depthwise(channels, kernel, stride, padding)));
        }
    }
    let strided = conv((2, 8, 9), [3, 32], [3, 3], [2, 2], [0, 0]);
    shapes.push(Conv2d { padding: [[0, 1]; 2], ..strided });
    shapes.push(conv((1, 40, 300), [16, 16], [3, 3], [1, 1], [1, 1]));
    shapes.push(conv((1, 40, 300), [3, 4], [5, 5], [2, 2], [2, 2]));
    shapes.push(conv((70, 2, 2), [16, 16], [3, 3], [1, 1], [1, 1]));
    shapes.push(conv((2, 8, 8), [128, 128], [3, 3], [1, 1], [1, 1]));
    shapes
}

#[test]
fn f32_results_match_the_definition_to_1e_5() {
    for conv in shapes() {
        let errors = Case::<f32>::new(conv).errors();
        assert!(errors.iter().all(|&error| error < 1e-5), "{conv:?}: {errors:?}");
    }
}

#[test]
fn f64_results_match_the_definition_to_1e_12() {
    for conv in shapes() {
        let errors = Case::<f64>::new(conv).errors();
        assert!(errors.iter().all(|&error| error < 1e-12), "{conv:?}: {errors:?}");
    }
}

#[test]
fn gradients_are_adjoint_to_the_convolution() {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for conv in shapes() {
        let case = Case::<f64> { b: vec![0.0; conv.out_channels], ..Case::new(conv) };
        let [y, dx, dw, _] = case.results();
        let [of_y, of_x, of_w] = [dot(&y, &case.dy), dot(&case.x, &dx), dot(&case.w, &dw)];
        let scale = dot(&y, &y).sqrt() * dot(&case.dy, &case.dy).sqrt() + 1e-30;
        assert!((of_y - of_x).abs() / scale < 1e-13, "{conv:?}: {of_y} {of_x}");
        assert!((of_y - of_w).abs() / scale < 1e-13, "{conv:?}: {of_y} {of_w}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for conv in [
        conv((9, 13, 16), [16, 40], [3, 3], [1, 1], [1, 1]),
        conv((9, 13, 16), [3, 32], [3, 3], [1, 1], [1, 1]),
        conv((9, 13, 16), [32, 33], [3, 3], [2, 2], [1, 1]),
        conv((9, 13, 16), [32, 33], [1, 1], [2, 2], [0, 0]),
        depthwise(37, 3, 1, [1, 1]),
    ] {
        let case = Case::<f32>::new(conv);
        let results = [1, 2, 3, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                case.results().map(|v| v.into_iter().map(f32::to_bits).collect::<Vec<_>>())
            })
        });
        assert!(results.iter().all(|result| *result == results[0]), "{conv:?}");
    }
}

#[test]
fn nan_is_propagated_within_its_image_only() {
    for kernel in [1, 3, 5] {
        let conv = conv((2, 9, 9), [20, 20], [kernel; 2], [1, 1], [kernel / 2; 2]);
        let mut case = Case::<f32>::new(conv);
        let image = 9 * 9 * 20;
        case.x[0] = f32::NAN;
        let [y, ..] = case.results();
        assert!(y[..20].iter().all(|y| y.is_nan()));
        assert!(y[image..].iter().all(|y| y.is_finite()));
    }
}

#[test]
fn results_do_not_depend_on_earlier_contents_of_the_workspace() {
    let mut before = Case::<f32>::new(conv((2, 9, 9), [64, 64], [3, 3], [1, 1], [1, 1]));
    before.x.fill(f32::NAN);
    before.dy.fill(f32::NAN);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for channels in [[12, 12], [20, 36], [33, 17]] {
        let case = Case::<f32>::new(conv((2, 9, 9), channels, [3, 3], [1, 1], [1, 1]));
        pool.install(|| before.results());
        let errors = pool.install(|| case.errors());
        assert!(errors.iter().all(|&error| error < 1e-5), "{channels:?}: {errors:?}");
    }
}
