#include "tests/golden/case.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"
#include "tests/golden/hash_weights.h"

namespace ldm::golden {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kCudaTolerance = 1e-4;  // On a GPU the larger of this and the case's own counts.

bool starts_with(const std::string& s, std::string_view prefix) { return s.rfind(prefix, 0) == 0; }

Json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  check(static_cast<bool>(in), ErrorKind::kData, "golden: cannot open ", path.string());
  return Json::parse(in);
}

// Constants and start values that the cases never list.
bool is_constant(const std::string& key) {
  for (const std::string_view end :
       {"position_ids", "scaling_layer.shift", "scaling_layer.scale", "initialized", "logvar"}) {
    if (key.size() >= end.size() && key.compare(key.size() - end.size(), end.size(), end) == 0) return true;
  }
  return false;
}

double max_of(const torch::Tensor& t) { return t.numel() == 0 ? 0.0 : t.max().item<double>(); }

}  // namespace

double relative_error(const torch::Tensor& got, const torch::Tensor& want, bool math_format) {
  if (!got.defined() || got.sizes() != want.sizes()) return kInfinity;
  const auto a = got.detach().to(at::kCPU, at::kDouble);
  const auto b = want.to(at::kCPU, at::kDouble);
  const double difference = max_of(at::where(a == b, at::zeros_like(b), (a - b).abs()));
  if (want.scalar_type() == at::kByte) return difference / 255.0;
  const double scale = max_of(at::where(b.isfinite(), b.abs(), at::zeros_like(b)));
  if (math_format) return scale == 0.0 ? difference : difference / scale;
  return difference / std::max(scale, 1e-30);
}

Case::Case(std::filesystem::path folder, std::vector<std::filesystem::path> places, torch::Device device)
    : folder_(std::move(folder)),
      places_(std::move(places)),
      device_(device),
      json_(read_json(folder_ / "case.json")) {
  name_ = json_.value("name", folder_.filename().string());
  kind_ = json_.at("kind").get<std::string>();
  if (!json_.contains("config")) json_["config"] = Json::object();
  const auto io = folder_ / "io.safetensors";
  if (std::filesystem::exists(io)) io_ = read_tensor_file(io).tensors;
  float32_ = json_["config"].is_object() && json_["config"].value("dtype", "") == "float32";
}

torch::Tensor Case::input(const std::string& tensor) {
  const auto known = inputs_.find(tensor);
  if (known != inputs_.end()) return known->second;
  auto value = stored(tensor).clone().to(device_);
  if (has("grad." + tensor)) value.requires_grad_(true);
  return inputs_[tensor] = value;
}

torch::Tensor Case::stored(const std::string& tensor) const {
  const auto it = io_.find(tensor);
  check(it != io_.end(), ErrorKind::kData, "golden: ", name_, " has no tensor '", tensor, "'");
  return it->second;
}

std::filesystem::path Case::file(const std::string& relative) const {
  if (std::filesystem::exists(folder_ / relative)) return folder_ / relative;
  for (const auto& place : places_) {
    if (std::filesystem::exists(place / relative)) return place / relative;
  }
  fail(ErrorKind::kData, "golden: ", name_, " refers to '", relative, "', which is nowhere");
}

void Case::read_weights() {
  if (std::exchange(weights_read_, true)) return;
  const bool vgg = kind_ == "lpips" || kind_ == "ae_loss" || kind_ == "ae_train";
  std::filesystem::path shapes;
  HashWeightRule rule;
  if (json_.contains("hash_weights")) {
    shapes = folder_ / "shapes.txt";
    rule = {json_["hash_weights"].at("seed"), json_["hash_weights"].value("gain", 1.0), true, vgg};
  } else if (config().contains("weights")) {
    shapes = file(config().at("keys"));
    rule = {config()["weights"].at("seed"), config()["weights"].value("gain", 1.0), false, false};
  }
  if (!shapes.empty()) {
    for (const auto& [key, shape] : read_shapes(shapes)) weights_[key] = hash_weight(key, shape, rule);
  }
  const auto stored_weights = folder_ / "weights.safetensors";
  if (std::filesystem::exists(stored_weights)) {
    for (auto& [key, value] : read_tensor_file(stored_weights).tensors) weights_[key] = value;
  }
  strip_generated_prefix();
}

// A generated file may name its tensors as the whole checkpoint does.
void Case::strip_generated_prefix() {
  const auto* generated = json_.contains("generated_weights") ? &json_["generated_weights"] : nullptr;
  const std::string prefix = generated == nullptr ? "" : generated->value("prefix", "");
  const bool all = !prefix.empty() && std::all_of(weights_.begin(), weights_.end(), [&](const auto& item) {
    return starts_with(item.first, prefix);
  });
  const auto shapes = folder_ / "shapes.txt";
  if (!all || !std::filesystem::exists(shapes)) return;
  const auto listed = read_shapes(shapes);
  if (listed.empty() || starts_with(listed.front().name, prefix)) return;
  Tensors stripped;
  for (auto& [key, value] : weights_) stripped[key.substr(prefix.size())] = std::move(value);
  weights_ = std::move(stripped);
}

void Case::load_weights(torch::nn::Module& module, const std::string& prefix) {
  read_weights();
  StateDict own;
  for (auto& [key, value] : weights_) {
    if (!starts_with(key, prefix)) continue;
    auto& taken = own[key.substr(prefix.size())] = value;
    if (full_size() && taken.defined()) value.reset();  // The module's copy is to be the only one.
    used_weights_.insert(key);
  }
  auto report = take_state_dict(module, own);
  std::erase_if(report.missing, is_constant);
  check(report.ok(), ErrorKind::kInternal, "load_weights: ", name_, ": ", report.table());
  module.train(json_.value("mode", "eval") == "train");
  module.to(device_);
  if (inference_) prepare_for_inference(module);
  for (const auto& item : module.named_parameters()) parameters_[prefix + item.key()] = item.value();
}

Tensors Case::weights() {
  read_weights();
  for (const auto& [key, value] : weights_) used_weights_.insert(key);
  return weights_;
}

double Case::tolerance(const std::string& output) const {
  const auto& t = json_.at("tolerance");
  double value = 0.0;
  if (!math_format()) {
    check(t.contains(output), ErrorKind::kInternal, "golden: ", name_, " has no tolerance for '", output,
          "'");
    value = t[output];
  } else if (const auto prefix = output.substr(0, output.find('.'));
             t.contains(output) || t.contains(prefix)) {
    value = t.contains(output) ? t[output] : t[prefix];
  } else {
    value = float32_ && t.contains("float32") ? t["float32"] : t.at("default");
  }
  return device_.is_cuda() && value > 0.0 ? std::max(value, kCudaTolerance) : value;
}

void Case::expect(const std::string& output, const torch::Tensor& got) {
  expect_within(output, got, tolerance(output));
}

void Case::expect_within(const std::string& output, const torch::Tensor& got, double allowed) {
  outputs_[output] = got;
  done_.insert(output);
  comparisons_.push_back({output, relative_error(got, stored(output), math_format()), allowed});
}

void Case::expect_true(const std::string& output, bool ok) {
  done_.insert(output);
  comparisons_.push_back({output, ok ? 0.0 : kInfinity, 0.0});
}

void Case::unsupported(const std::string& output) {
  done_.insert(output);
  unsupported_.push_back(output);
}

void Case::skip(const std::string& value) const { throw Skip{value}; }

void Case::check_gradients() {
  torch::Tensor loss;
  for (const auto& [name, got] : outputs_) {
    if (!has("probe." + name)) continue;
    const auto term = (got * stored("probe." + name).to(device_)).sum();
    loss = loss.defined() ? loss + term : term;
  }
  if (!loss.defined()) return;
  loss.backward();
  for (const auto& [name, value] : io_) {
    const auto dot = name.find('.');
    const auto prefix = name.substr(0, dot);
    if (prefix != "grad" && prefix != "gradw") continue;
    const auto& leaves = prefix == "grad" ? inputs_ : parameters_;
    const auto leaf = leaves.find(name.substr(dot + 1));
    check(leaf != leaves.end(), ErrorKind::kInternal, "golden: ", name_, ": '", name,
          "' was neither read nor loaded");
    const auto gradient = leaf->second.grad();
    expect(name, gradient.defined() ? gradient : at::zeros_like(leaf->second));
  }
}

void Case::finish() {
  if (!inference_) check_gradients();
  for (const auto& [key, value] : weights_) {
    check(used_weights_.count(key) != 0, ErrorKind::kInternal, "golden: ", name_, ": weight '", key,
          "' was not loaded");
  }
  std::set<std::string> wanted;
  for (const auto& output : json_.value("outputs", Json::array())) wanted.insert(output.get<std::string>());
  if (!math_format()) {
    const Json tolerances = json_.value("tolerance", Json::object());  // Named: items() only refers to it.
    for (const auto& item : tolerances.items()) wanted.insert(item.key());
  }
  for (const auto& output : wanted) {
    if (inference_ && starts_with(output, "grad")) continue;
    if (done_.count(output) == 0 && !starts_with(output, "pillow.")) unsupported(output);
  }
}

}  // namespace ldm::golden
