#include "ldm/data/colour_noise.h"

#include <cmath>

namespace ldm {
namespace {

Matrix3 multiply(const Matrix3& a, const Matrix3& b) {
  Matrix3 out{};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      for (size_t k = 0; k < 3; ++k) out[i][j] += a[i][k] * b[k][j];
    }
  }
  return out;
}

Matrix3 transposed(const Matrix3& a) {
  Matrix3 out{};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) out[j][i] = a[i][j];
  }
  return out;
}

// The left singular vectors of a matrix of uniform numbers: eigenvectors of A A^T.
Matrix3 random_rotation(Random& random) {
  Matrix3 a{};
  for (auto& row : a) {
    for (double& value : row) value = random.uniform();
  }
  return eigen_symmetric(multiply(a, transposed(a))).vectors;
}

// M with M M^T = the noise's covariance. |U^T D U| need not be positive: as numpy samples it, an eigenvalue
// counts by its size.
Matrix3 random_mixing(double level, Random& random) {
  Matrix3 d{};
  for (size_t i = 0; i < 3; ++i) d[i][i] = random.uniform();
  const Matrix3 u = random_rotation(random);
  Matrix3 covariance = multiply(multiply(transposed(u), d), u);
  for (auto& row : covariance) {
    for (double& value : row) value = std::abs(level * level * value);
  }
  Eigen3 parts = eigen_symmetric(covariance);
  for (auto& row : parts.vectors) {
    for (size_t j = 0; j < 3; ++j) row[j] *= std::sqrt(std::abs(parts.values[j]));
  }
  return parts.vectors;
}

}  // namespace

Eigen3 eigen_symmetric(const Matrix3& matrix) {
  Matrix3 a = matrix;
  Matrix3 vectors{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  constexpr int kSweeps = 30;  // Converges quadratically; usual are five.
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (const auto& [p, q] : {std::pair<size_t, size_t>{0, 1}, {0, 2}, {1, 2}}) {
      if (a[p][q] == 0) continue;
      const double theta = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]);
      Matrix3 rotation{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
      rotation[p][p] = rotation[q][q] = std::cos(theta);
      rotation[p][q] = std::sin(theta);
      rotation[q][p] = -std::sin(theta);
      a = multiply(multiply(transposed(rotation), a), rotation);
      a[p][q] = a[q][p] = 0;
      vectors = multiply(vectors, rotation);
    }
  }
  return {{a[0][0], a[1][1], a[2][2]}, vectors};
}

void add_colour_noise(FloatImage& image, int64_t low, int64_t high, Random& random) {
  const double level = static_cast<double>(low + random.below(high - low + 1)) / 255;
  const double kind = random.uniform();
  const bool own = kind > 0.6, grey = kind < 0.4;
  const Matrix3 mixing = own || grey ? Matrix3{} : random_mixing(static_cast<double>(high) / 255, random);
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    std::array<double, 3> noise{};
    if (own || grey) {
      const double first = level * random.normal();
      noise = own ? std::array{first, level * random.normal(), level * random.normal()}
                  : std::array{first, first, first};
    } else {
      const std::array draws{random.normal(), random.normal(), random.normal()};
      for (size_t r = 0; r < 3; ++r) {
        for (size_t c = 0; c < 3; ++c) noise[r] += mixing[r][c] * draws[c];
      }
    }
    for (size_t c = 0; c < 3; ++c) image.pixels[i + c] += static_cast<float>(noise[c]);
  }
  clip_unit(image);
}

}  // namespace ldm
