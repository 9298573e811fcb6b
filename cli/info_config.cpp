#include "cli/info_config.h"

#include <iostream>

#include "cli/info_text.h"
#include "cli/print_json.h"
#include "ldm/config/yaml.h"
#include "ldm/io/json.h"
#include "ldm/model/ignored_settings.h"
#include "ldm/model/model_layout.h"

namespace ldm::cli {
namespace {

void print_layout(const ModelLayout& layout, bool keys) {
  int64_t parameters = 0, tensors = 0;
  for (const auto& part : layout.parts) {
    parameters += part.parameters();
    tensors += static_cast<int64_t>(part.tensors.size());
  }
  std::cout << "kind        " << layout.target << "\nnumbers     " << grouped_digits(parameters) << " in "
            << tensors << " tensors\n";
  for (const auto& part : layout.parts) {
    std::cout << "  " << part.name << " (" << part.target << "): " << grouped_digits(part.parameters())
              << " in " << part.tensors.size() << " tensors\n";
  }
  if (!keys) return;
  std::cout << "tensors\n";
  for (const auto& part : layout.parts) {
    for (const auto& tensor : part.tensors) {
      std::cout << "  " << tensor.name << ' ' << shape_text(tensor.shape) << '\n';
    }
  }
}

Json layout_json(const ModelLayout& layout, bool keys) {
  Json out = {{"target", layout.target}, {"parts", Json::object()}};
  if (keys) out["tensors"] = Json::array();
  for (const auto& part : layout.parts) {
    out["parts"][part.name] = {
        {"target", part.target}, {"tensors", part.tensors.size()}, {"numbers", part.parameters()}};
    if (!keys) continue;
    for (const auto& tensor : part.tensors) {
      out["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
    }
  }
  return out;
}

}  // namespace

int show_config(const std::filesystem::path& file, bool keys, bool json) {
  const auto config = read_yaml(file);
  const auto layout = lay_out_model(config);
  const auto ignored = ignored_settings(config);
  if (json) {
    auto out = layout_json(layout, keys);
    out["file"] = file.string();
    out["ignored"] = ignored;
    print_json(out, 2);
    return 0;
  }
  std::cout << "file        " << file.string() << '\n';
  print_layout(layout, keys);
  if (!ignored.empty()) std::cout << "accepted, and without effect here\n";
  for (const auto& setting : ignored) std::cout << "  " << setting << '\n';
  return 0;
}

}  // namespace ldm::cli
