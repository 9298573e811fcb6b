#include "cli/latents_file.h"

#include <ATen/ATen.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/picture_kind.h"
#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/nn/state_dict.h"

namespace ldm::cli {
namespace {

constexpr char kSizesKey[] = "ldm.picture_sizes";  // {"picture.png": [width, height], ...}

using PictureSizes = std::map<std::string, std::pair<int64_t, int64_t>>;

// Width and height by tensor, as ldm encode wrote them; empty for files of others.
PictureSizes picture_sizes(const TensorFile& file, const std::string& what) {
  const auto text = file.metadata.find(kSizesKey);
  if (text == file.metadata.end()) return {};
  try {
    return nlohmann::json::parse(text->second).get<PictureSizes>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::kFormat, what, ": expected ", kSizesKey,
         " to be JSON such as {\"a.png\": [640, 480]}, got ", printable(text->second));
  }
}

}  // namespace

std::vector<StoredLatents> read_latents_file(const std::filesystem::path& path, const FirstStage& stage) {
  refuse_picture(path, "a file of latents");
  const auto file = read_tensor_file(path);
  const auto what = path.string();
  check(!file.tensors.empty(), ErrorKind::kData, what, ": holds no latents");
  const auto sizes = picture_sizes(file, what);
  const auto factor = stage.downsampling();
  std::vector<StoredLatents> out;
  for (const auto& [name, tensor] : file.tensors) {
    check(tensor.dim() == 3 && tensor.size(0) == stage.latent_channels() && tensor.is_floating_point() &&
              tensor.numel() > 0,
          ErrorKind::kData, what, ": expected latents [", stage.latent_channels(), ", h, w], got ",
          printable(name), " ", tensor.sizes());
    const std::pair whole(factor * tensor.size(2), factor * tensor.size(1));
    const auto noted = sizes.find(name);
    const auto [width, height] = noted == sizes.end() ? whole : noted->second;
    check(width >= 1 && height >= 1 && width <= whole.first && height <= whole.second, ErrorKind::kFormat,
          what, ": expected ", printable(name), " to be a picture of at most ", whole.first, "x",
          whole.second, " pixels, got ", width, "x", height);
    out.push_back({name, tensor.to(at::kFloat), width, height});
  }
  return out;
}

void write_latents_file(const std::filesystem::path& file, const std::vector<StoredLatents>& latents) {
  StateDict tensors;
  nlohmann::ordered_json sizes;
  for (const auto& one : latents) {
    tensors[one.name] = one.tensor;
    sizes[one.name] = {one.width, one.height};
  }
  write_tensor_file(file, tensors, {{kSizesKey, sizes.dump()}});
}

}  // namespace ldm::cli
