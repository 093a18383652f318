use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};

/// The largest value of each window of `size` x `size`, without overlap; rows and columns that
/// fill no window are left out. `[batch, height, width, channels]` to
/// `[batch, height / size, width / size, channels]`.
pub fn max_pool2d(size: usize, input: Tensor<4>) -> Tensor<4> {
    let window = [size, size];
    let input = input.permute([0, 3, 1, 2]);
    let output = module::max_pool2d(input, MaxPoolOptions::new(window));
    output.permute([0, 2, 3, 1])
}
