#pragma once

#include <array>
#include <cstdint>

#include "ldm/core/random.h"
#include "ldm/data/blur.h"

namespace ldm {

// A 3x3 matrix, row by row.
using Matrix3 = std::array<std::array<double, 3>, 3>;

// Eigenvalues and eigenvectors (columns) of a symmetric matrix: Jacobi's rotations, to double precision.
struct Eigen3 {
  std::array<double, 3> values;
  Matrix3 vectors;
};
Eigen3 eigen_symmetric(const Matrix3& matrix);

// BSRGAN's Gaussian noise, then clipped to 0..1. Probability 0.4: of its own for each value; 0.4: the same in
// the three channels; both with standard deviation U{low..high} / 255. 0.2: channels correlated by |U^T D U|,
// D uniform and U a random rotation, of size high / 255.
void add_colour_noise(FloatImage& image, int64_t low, int64_t high, Random& random);

}  // namespace ldm
