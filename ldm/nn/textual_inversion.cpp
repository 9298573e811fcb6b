#include "ldm/nn/textual_inversion.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

torch::Tensor fitting(const EmbeddingModule& table, const torch::Tensor& vectors) {
  check(vectors.dim() == 2 && vectors.size(1) == table.weight.size(1), ErrorKind::kFormat,
        "textual inversion: expected vectors of shape [n, ", table.weight.size(1), "], got ", vectors.sizes(),
        "; hint: it may be for another text encoder");
  return vectors.detach().to(table.weight.options());
}

}  // namespace

int64_t append_token_vectors(EmbeddingModule& table, const torch::Tensor& vectors) {
  torch::NoGradGuard no_grad;
  const int64_t first = table.weight.size(0);
  table.weight.set_data(at::cat({table.weight, fitting(table, vectors)}, 0));
  return first;
}

void replace_token_vectors(EmbeddingModule& table, int64_t first_id, const torch::Tensor& vectors) {
  torch::NoGradGuard no_grad;
  const auto rows = fitting(table, vectors);
  check(first_id >= 0 && first_id + rows.size(0) <= table.weight.size(0),
        "textual inversion: expected rows within 0..", table.weight.size(0) - 1, ", got ", first_id, "..",
        first_id + rows.size(0) - 1);
  table.weight.narrow(0, first_id, rows.size(0)).copy_(rows);
}

void truncate_token_vectors(EmbeddingModule& table, int64_t size) {
  torch::NoGradGuard no_grad;
  check(size > 0 && size <= table.weight.size(0), "textual inversion: expected to keep 1..",
        table.weight.size(0), " rows, got ", size);
  table.weight.set_data(table.weight.narrow(0, 0, size).clone());
}

}  // namespace ldm
