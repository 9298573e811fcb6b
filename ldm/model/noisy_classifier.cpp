#include "ldm/model/noisy_classifier.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/diffusion/parameterization.h"
#include "ldm/model/targets.h"
#include "ldm/model/weight_file.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

Node classifier_config(const WeightFile& file, const fs::path& path) {
  if (const auto found = file.metadata.find("ldm.config"); found != file.metadata.end())
    return parse_yaml(found->second, path.string());
  auto beside = path;
  beside.replace_extension(".yaml");
  check(fs::exists(beside), ErrorKind::kData, path.string(), ": expected the classifier's configuration in ",
        "its metadata (ldm.config) or in ", beside.string());
  return read_yaml(beside);
}

EncoderUNetOptions classifier_options(const Node& config) {
  const auto& model = config.at("model");
  const auto target = parse_target(model.at("target").text(), "model.target");
  check(target == Target::kEncoderUnet, "model.target: expected encoder_unet, got '", to_string(target), "'");
  EncoderUNetOptions options;
  read_options(model.at("params"), options, "model.params");
  return options;
}

// What stands before the network's own names.
std::string classifier_prefix(const StateDict& tensors) {
  for (const std::string prefix : {"", "model.", "state_dict.model.", "state_dict."}) {
    if (tensors.contains(prefix + "time_embed.0.weight")) return prefix;
  }
  fail(ErrorKind::kFormat, "expected a classifier of noisy latents; it has no time_embed.0.weight");
}

}  // namespace

NoisyClassifier::NoisyClassifier(std::shared_ptr<EncoderUNet> network, const EncoderUNetOptions& options)
    : network_(std::move(network)), classes_(options.unet.out_channels), channels_(options.unet.in_channels) {
  network_->eval();
  for (auto& p : network_->parameters()) p.set_requires_grad(false);
}

void NoisyClassifier::to(at::Device device) { network_->to(device); }

LogProb NoisyClassifier::log_prob(const NoiseSchedule& schedule, int64_t label) const {
  check(label >= 0 && label < classes_, "classifier: expected a class in 0..", classes_ - 1, ", got ", label);
  return [network = network_, schedule, label](const torch::Tensor& x, const torch::Tensor& sigma) {
    std::vector<double> t;
    for (int64_t k = 0; k < sigma.size(0); ++k) t.push_back(schedule.sigma_to_t(sigma[k].item<double>()));
    const auto times = at::tensor(t, at::kDouble).to(x.device(), at::kFloat);
    const auto preserving = x * per_sample((1 + sigma.square()).rsqrt(), x);
    return network->forward(preserving, times).log_softmax(1).select(1, label);
  };
}

std::shared_ptr<NoisyClassifier> load_noisy_classifier(const fs::path& path) {
  try {
    auto file = read_weight_file(path);
    const auto options = classifier_options(classifier_config(file, path));
    const InitScope filled_by_the_file(Init::kNone);
    auto network = std::make_shared<EncoderUNet>(options);
    const auto report = take_state_dict(*network, file.tensors, classifier_prefix(file.tensors));
    check(report.ok(), ErrorKind::kFormat, "the weights do not fit the configuration\n", report.table());
    return std::make_shared<NoisyClassifier>(std::move(network), options);
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(error.kind(), text.starts_with(path.string()) ? text : path.string() + ": " + text);
  }
}

}  // namespace ldm
