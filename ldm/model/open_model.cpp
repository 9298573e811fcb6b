#include "ldm/model/open_model.h"

#include <ATen/ATen.h>

#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/model/diffusers_folder.h"
#include "ldm/model/infer_config.h"
#include "ldm/model/model_layout.h"
#include "ldm/model/original_weights.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> layout_names(const Node& config) {
  std::vector<std::string> names;
  for (const auto& part : lay_out_model(config).parts) {
    for (const auto& tensor : part.tensors) names.push_back(tensor.name);
  }
  return names;
}

bool has_part(const StateDict& tensors, const std::string& prefix) {
  const auto at = tensors.lower_bound(prefix);
  return at != tensors.end() && at->first.starts_with(prefix);
}

ModelFile open_original(const fs::path& path, const OpenOptions& options) {
  Node config;
  std::vector<std::string> names;
  if (!options.config.empty()) {
    config = read_yaml(options.config);
    names = layout_names(config);
  }
  try {
    auto weights = original_weights(read_weight_file(path), options.ema, names);
    ModelFile out{.kind = has_part(weights.tensors, "model.diffusion_model.") ? ModelKind::kDiffusion
                                                                              : ModelKind::kFirstStage};
    out.config = config.is_null() ? infer_config(weights.tensors) : std::move(config);
    if (weights.scale_factor) set_scale_factor(out.config, *weights.scale_factor);
    out.tensors = std::move(weights.tensors);
    return out;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kFormat || std::string_view(error.what()).starts_with(path.string()))
      throw;
    throw Error(error.kind(), path.string() + ": " + error.what());
  }
}

std::string shape_line(const std::string& name, const std::vector<int64_t>& expected, at::IntArrayRef got) {
  std::ostringstream line;
  line << name << ": expected " << at::IntArrayRef(expected) << ", got " << got;
  return line.str();
}

}  // namespace

ModelFile open_model(const fs::path& path, const OpenOptions& options) {
  if (fs::is_directory(path)) return open_diffusers_folder(path);
  if (options.config.empty() && is_model_file(path)) return read_model_file(path);
  return open_original(path, options);
}

LoadReport compare_weights(const ModelFile& model) {
  LoadReport report;
  std::set<std::string> known;
  for (const auto& part : lay_out_model(model.config).parts) {
    for (const auto& tensor : part.tensors) {
      known.insert(tensor.name);
      const auto found = model.tensors.find(tensor.name);
      if (found == model.tensors.end()) {
        report.missing.push_back(tensor.name);
      } else if (found->second.sizes() != at::IntArrayRef(tensor.shape)) {
        report.mis_shaped.push_back(shape_line(tensor.name, tensor.shape, found->second.sizes()));
      }
    }
  }
  for (const auto& [name, tensor] : model.tensors) {
    if (!known.contains(name)) report.unexpected.push_back(name);
  }
  return report;
}

void check_weights(const ModelFile& model, const fs::path& path) {
  const auto report = compare_weights(model);
  check(report.ok(), ErrorKind::kFormat, path.string(), ": the weights do not fit the configuration\n",
        report.table());
}

}  // namespace ldm
