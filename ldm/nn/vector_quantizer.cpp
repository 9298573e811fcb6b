#include "ldm/nn/vector_quantizer.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int64_t kDistancesAtOnce = int64_t{1} << 24;  // 64 MiB of float32.

// [N, C, H, W] -> [N H W, C]
torch::Tensor to_points(const torch::Tensor& z) { return z.permute({0, 2, 3, 1}).reshape({-1, z.size(1)}); }

torch::Tensor select_rows(const torch::Tensor& points, const std::vector<int64_t>& rows) {
  return points.index_select(0, at::tensor(rows, at::kLong).to(points.device()));
}

torch::Tensor random_rows(const torch::Tensor& points, int64_t count, Random& random) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  for (auto& row : rows) row = random.below(points.size(0));
  return select_rows(points, rows);
}

}  // namespace

VectorQuantizer::VectorQuantizer(const VectorQuantizerOptions& o) : options_(o) {
  check(o.n_e > 0 && o.e_dim > 0, "VectorQuantizer: expected positive n_e and e_dim, got ", o.n_e, " and ",
        o.e_dim);
  const double bound = 1.0 / static_cast<double>(o.n_e);
  const auto embedding = register_module("embedding", std::make_shared<torch::nn::Module>());
  codebook_ = embedding->register_parameter("weight",
                                            at::empty({o.n_e, o.e_dim}, at::kFloat).uniform_(-bound, bound));
  if (!o.used.empty()) register_used();
}

void VectorQuantizer::register_used() {
  for (const auto code : options_.used) {
    check(code >= 0 && code < options_.n_e, "VectorQuantizer: expected used codes in 0..", options_.n_e - 1,
          ", got ", code);
  }
  const auto& unknown = options_.unknown;
  const bool number =
      !unknown.empty() && unknown.size() < 10 &&
      std::all_of(unknown.begin(), unknown.end(), [](char c) { return c >= '0' && c <= '9'; });
  check(unknown == "random" || unknown == "extra" || number,
        "VectorQuantizer: expected unknown_index random, extra or a number, got '", unknown, "'");
  used_ = register_buffer("used", at::tensor(options_.used, at::kLong));
}

Quantized VectorQuantizer::forward(const torch::Tensor& z) const {
  check(z.dim() == 4 && z.size(1) == options_.e_dim, "VectorQuantizer: expected latents [N, ", options_.e_dim,
        ", H, W], got ", z.sizes());
  const auto nearest = nearest_codes(to_points(z), codebook_);
  const auto codes = codes_at(nearest, z.size(0), z.size(2), z.size(3));
  const auto to_encoder = (codes.detach() - z).square().mean();
  const auto to_codebook = (codes - z.detach()).square().mean();
  const auto loss =
      options_.legacy ? to_encoder + options_.beta * to_codebook : options_.beta * to_encoder + to_codebook;
  const auto indices = used_.defined() ? to_used(nearest) : nearest;
  return {.latents = z + (codes - z).detach(),
          .loss = loss,
          .indices = options_.sane_index_shape ? indices.view({z.size(0), z.size(2), z.size(3)}) : indices};
}

torch::Tensor VectorQuantizer::codes_at(const torch::Tensor& indices, int64_t n, int64_t height,
                                        int64_t width) const {
  const auto codes = at::embedding(codebook_, indices.reshape({n, height, width}));
  return codes.permute({0, 3, 1, 2}).contiguous();
}

torch::Tensor VectorQuantizer::codebook_entry(const torch::Tensor& indices, int64_t n, int64_t height,
                                              int64_t width) const {
  check(indices.numel() == n * height * width, "VectorQuantizer: expected ", n * height * width,
        " indices, got ", indices.numel());
  return codes_at(used_.defined() ? from_used(indices) : indices, n, height, width);
}

// The original's remap_to_used.
torch::Tensor VectorQuantizer::to_used(const torch::Tensor& indices) const {
  const auto count = used_.size(0);
  auto table = at::full({options_.n_e}, -1, used_.options());
  table.index_copy_(0, used_.flip(0),
                    at::arange(count - 1, -1, -1, used_.options()));  // The first one counts.
  const auto places = table.index_select(0, indices);
  torch::Tensor other;
  if (options_.unknown == "random") {
    other = at::randint(count, places.sizes(), places.options());
  } else {
    other = at::full_like(places, options_.unknown == "extra" ? count : std::stoll(options_.unknown));
  }
  return at::where(places < 0, other, places);
}

// The original's unmap_to_all: the extra index stands for the first used code.
torch::Tensor VectorQuantizer::from_used(const torch::Tensor& indices) const {
  const auto flat = indices.reshape({-1});
  const auto known = at::where(flat >= used_.size(0), at::zeros_like(flat), flat);
  return used_.index_select(0, known);
}

torch::Tensor nearest_codes(const torch::Tensor& points, const torch::Tensor& codebook) {
  torch::NoGradGuard no_grad;
  const auto squares =
      codebook.square().sum(1);  // |z - e|^2 = |e|^2 - 2 z e + |z|^2; the last is the same for all.
  const auto transposed = codebook.t();
  const int64_t rows = std::max<int64_t>(1, kDistancesAtOnce / codebook.size(0));
  std::vector<torch::Tensor> parts;
  for (const auto& part : points.split(rows)) {
    parts.push_back(at::addmm(squares, part, transposed, /*beta=*/1, /*alpha=*/-2).argmin(1));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

torch::Tensor count_codes(const torch::Tensor& indices, int64_t codes) {
  return at::bincount(indices.reshape({-1}), /*weights=*/{}, /*minlength=*/codes);
}

torch::Tensor kmeans_codebook(const torch::Tensor& points, int64_t codes, int64_t iterations, Random random) {
  torch::NoGradGuard no_grad;
  check(points.dim() == 2 && codes > 0 && points.size(0) >= codes, "kmeans_codebook: expected at least ",
        codes, " points [M, C], got ", points.sizes());
  auto start = permutation(points.size(0), random);
  start.resize(static_cast<size_t>(codes));
  auto centres = select_rows(points, start);
  for (int64_t i = 0; i < iterations; ++i) {
    const auto nearest = nearest_codes(points, centres);
    const auto counts = count_codes(nearest, codes);
    auto sums = at::zeros_like(centres).index_add_(0, nearest, points);
    centres = sums / counts.clamp_min(1).unsqueeze(1);
    const auto empty = at::nonzero(counts == 0).squeeze(1);
    if (empty.size(0) > 0) centres.index_copy_(0, empty, random_rows(points, empty.size(0), random));
  }
  return centres;
}

int64_t restart_dead_codes(const torch::Tensor& codebook, const torch::Tensor& usage,
                           const torch::Tensor& points, double threshold, Random random) {
  torch::NoGradGuard no_grad;
  check(usage.dim() == 1 && usage.size(0) == codebook.size(0), "restart_dead_codes: expected usage [",
        codebook.size(0), "], got ", usage.sizes());
  check(points.dim() == 2 && points.size(0) > 0 && points.size(1) == codebook.size(1),
        "restart_dead_codes: expected points [M, ", codebook.size(1), "], got ", points.sizes());
  const auto dead = at::nonzero(usage < threshold).squeeze(1).to(codebook.device());
  if (dead.size(0) == 0) return 0;
  auto target = codebook.detach();
  target.index_copy_(0, dead, random_rows(points, dead.size(0), random));
  return dead.size(0);
}

}  // namespace ldm
