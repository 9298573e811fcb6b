#include "cli/neighbours_in.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <vector>

#include "cli/images_in.h"
#include "ldm/core/error.h"
#include "ldm/data/neighbours.h"
#include "ldm/data/task_sets.h"
#include "ldm/image/decode.h"

namespace ldm::cli {
namespace {

NeighbourBank bank_of(const std::string& from) {
  check(std::filesystem::exists(from), ErrorKind::kData, from, ": no such file or folder");
  if (std::filesystem::path(from).extension() == ".safetensors") return NeighbourBank::read(from);
  std::vector<torch::Tensor> rows;
  for (const auto& file : picture_files(from))
    rows.push_back(thumbnail_embedding(centre_crop_square(to_rgb(read_image(file)))));
  return NeighbourBank(at::stack(rows));
}

}  // namespace

torch::Tensor read_neighbours(const std::string& from, const std::string& query, int64_t k) {
  const auto bank = bank_of(from);
  const auto all = bank.gather(at::arange(bank.size(), at::kLong));
  if (query.empty()) return all;
  const auto wanted = bank_of(query);
  check(wanted.size() == 1, "--nearest-to: expected one picture or one row, got ", wanted.size());
  check(wanted.width() == bank.width(), "--nearest-to: expected embeddings of ", bank.width(),
        " numbers, as those of ", from, ", got ", wanted.width());
  check(k >= 1 && k <= bank.size(), "--nearest: expected 1..", bank.size(), " of the rows of ", from,
        ", got ", k);
  const auto found = bank.search(wanted.gather(at::zeros({1}, at::kLong)), k);
  return bank.gather(found.indices[0]);
}

}  // namespace ldm::cli
