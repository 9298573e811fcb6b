#include "ldm/train/diffusion_model.h"

#include <ATen/ATen.h>

#include <optional>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/model/class_conditioner.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/load_model.h"
#include "ldm/model/model_file.h"
#include "ldm/model/targets.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/text/wordpiece_trainer.h"
#include "ldm/train/first_stage_weights.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr char kFirstStagePrefix[] = "first_stage_model.";
constexpr char kUsedCodes[] = "first_stage_model.quantize.used";  // Of remap: comes with the options.

// The first stage that model.params.first_stage_config names, and its file; none where it is part of the
// model.
struct NamedFirstStage {
  std::shared_ptr<FirstStage> stage;
  std::filesystem::path file;
};

struct FirstStageFileOptions {
  std::string path;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("path", path, "a trained first stage");
  }
};

// The original's way: the first stage's own configuration and ckpt_path.
std::shared_ptr<FirstStage> configured_first_stage(const Node& config, const std::string& where) {
  FirstStageOptions options;
  if (const auto* params = config.find("params")) read_options(*params, options, where + ".params");
  check(!options.ckpt_path.empty(), where,
        ": stage two needs a trained first stage; expected params.ckpt_path, the file of its weights, or",
        " target first_stage_file with params.path (the model.safetensors that stage one wrote)");
  check_named_file(options.ckpt_path, "model.params.first_stage_config.params.ckpt_path");
  auto stage = make_first_stage(config, where);
  auto report = load_state_dict(*stage, first_stage_weights(options.ckpt_path), kFirstStagePrefix);
  std::erase(report.missing, kUsedCodes);
  check(report.ok(), ErrorKind::kFormat, options.ckpt_path, ": the weights do not fit ", where, "\n",
        report.table());
  return stage;
}

NamedFirstStage open_first_stage(const Node& config) {
  const std::string where = "model.params.first_stage_config";
  const auto target = parse_target(config.at("target").text(), where + ".target");
  if (target == Target::kIdentity) return {std::make_shared<IdentityFirstStage>(), {}};
  if (target != Target::kFirstStageFile) return {configured_first_stage(config, where), {}};
  FirstStageFileOptions options;
  read_options(config.at("params"), options, where + ".params");
  check_named_file(options.path, "model.params.first_stage_config.params.path");
  return {load_first_stage(options.path), options.path};
}

// Trained on the captions; empty unless the condition is text. (Layouts are read by the same network, as
// numbers.)
std::string make_vocabulary(const LatentDiffusionOptions& options,
                            const std::function<std::vector<std::string>()>& corpus) {
  const auto& config = options.cond_stage_config;
  if (!config.is_map()) return {};
  const std::string where = "model.params.cond_stage_config";
  if (parse_target(config.at("target").text(), where + ".target") != Target::kTextTransformer) return {};
  TextTransformerOptions network;
  read_options(config.at("params"), network, where + ".params");
  if (!network.use_tokenizer) return {};
  return train_wordpiece(corpus(), network.vocab_size).to_vocab();
}

void check_sizes(const RunConfig& config, const LatentDiffusionOptions& options, const FirstStage& stage) {
  const auto factor = stage.downsampling();
  check(config.data.size % factor == 0 && config.data.size / factor == options.image_size,
        "model.params.image_size: pictures of ", config.data.size, " pixels have latents of ",
        config.data.size / factor, " per side, got ", options.image_size);
}

// Weights and latent scale of a model file instead of a new start.
void start_from(LatentDiffusion& model, const ModelFile& start, const LogFn& log) {
  const auto& path = model.options().ckpt_path;
  check(start.kind == ModelKind::kDiffusion, "model.params.ckpt_path: expected a diffusion model, ", path,
        " is a first stage");
  model.load(start.tensors);
  const std::string key = "model.params.scale_factor";
  if (const auto* node = start.config.find_path(key); node != nullptr) {
    double scale = 1.0;
    read_value(*node, key, scale);
    model.set_scale_factor(scale);
  }
  log_info(log, "starts from the weights of " + path);
}

// No dropout and no gradients: what is not trained may still encode conditions in every step.
void freeze(torch::nn::Module& module) {
  module.eval();
  for (auto& parameter : module.parameters()) parameter.set_requires_grad(false);
}

// The configuration as the file carries it: drawing needs no scale_by_std and no paths of the training
// machine.
Node exported_config(const RunConfig& config, const LatentDiffusion& model) {
  auto node = config_for_model_file(config);
  auto* params = node.find("model")->find("params");
  params->set("scale_factor", Node::number(model.scale_factor()));
  params->set("scale_by_std", Node::boolean(false));
  return node;
}

// The options of the class embedder that a model begins with; null if it has none.
Node* class_embedder(Node& params) {
  auto* encoder = params.find("cond_stage_config");
  if (encoder == nullptr || !encoder->is_map() || encoder->find("params") == nullptr) return nullptr;
  const auto target = parse_target(encoder->at("target").text(), "model.params.cond_stage_config.target");
  return target == Target::kClassEmbedder ? encoder->find("params") : nullptr;
}

}  // namespace

RunConfig with_data(RunConfig config, const TaskSection& task) {
  config.data.task = task;
  auto* params = class_embedder(config.model.params);
  if (params == nullptr) return config;
  const std::string where = "model.params.cond_stage_config.params";
  ClassConditionerOptions options;
  read_options(*params, options, where);
  if (options.n_classes != 0) return config;
  check(!task.classes.empty(), where, ".n_classes: 0 means as many classes as the data names, and ",
        config.data.path, " names none; hint: a folder for each class, or class in metadata.jsonl");
  const auto named = static_cast<int64_t>(task.classes.size());
  params->set("n_classes", Node::integer(named + 1));
  params->set("null_class", Node::integer(named));
  return config;
}

TrainedModel open_trained_model(const RunConfig& config, at::Device device,
                                const std::function<std::vector<std::string>()>& corpus, const LogFn& log) {
  LatentDiffusionOptions options;
  read_options(config.model.params, options, "model.params");
  const auto first = open_first_stage(options.first_stage_config);
  check_sizes(config, options, *first.stage);
  std::optional<ModelFile> start;
  if (!options.ckpt_path.empty()) {
    check_named_file(options.ckpt_path, "model.params.ckpt_path");
    start = read_model_file(options.ckpt_path);
  }
  const auto vocabulary = start ? start->vocabulary : make_vocabulary(options, corpus);
  at::manual_seed(config.train.seed_bits());
  TrainedModel out{.model = std::make_shared<LatentDiffusion>(options, first.stage, vocabulary),
                   .first_stage_file = first.file,
                   .first_stage_sha256 = first.file.empty() ? "" : file_sha256(first.file)};
  if (start) start_from(*out.model, *start, log);
  out.model->to(device, at::kFloat);
  freeze(out.model->first_stage());
  auto* conditioner = out.model->conditioner();
  if (conditioner != nullptr && !options.cond_stage_trainable) freeze(*conditioner);
  check(config.train.sample_prompts.empty() || (conditioner != nullptr && conditioner->takes_words()),
        "train.sample_prompts: this model does not take words; expected an empty list");
  int64_t count = 0;
  for (const auto& [name, tensor] : out.model->state()) count += tensor.numel();
  log_info(log, "a model of " + std::to_string(count) + " parameters on " + device.str());
  return out;
}

torch::Tensor vocabulary_bytes(const LatentDiffusion& model) {
  const auto text = model.conditioner() != nullptr ? model.conditioner()->vocabulary() : std::string();
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  return at::tensor(at::ArrayRef<uint8_t>(bytes, text.size()), at::kByte);
}

void export_trained_model(const std::filesystem::path& path, const TrainedModel& trained,
                          const RunConfig& config, const StateDict& averages) {
  const auto& model = *trained.model;
  auto tensors = model.state();
  for (const auto& [name, average] : averages) tensors[name] = average;
  if (trained.first_stage_file.empty()) {
    tensors.merge(state_dict(model.first_stage(), kFirstStagePrefix));
    tensors.erase(kUsedCodes);
  }
  // Stage one's own result is called as the model itself.
  auto first_stage = trained.first_stage_file.filename();
  if (first_stage == path.filename()) first_stage = "first-stage.safetensors";
  const ModelFile file{.kind = ModelKind::kDiffusion,
                       .config = exported_config(config, model),
                       .tensors = std::move(tensors),
                       .vocabulary = model.conditioner() != nullptr ? model.conditioner()->vocabulary() : "",
                       .first_stage = first_stage.string(),
                       .first_stage_sha256 = trained.first_stage_sha256};
  if (!trained.first_stage_file.empty()) {
    const auto beside = path.parent_path() / file.first_stage;
    if (!std::filesystem::exists(beside) || file_sha256(beside) != trained.first_stage_sha256)
      write_file_atomic(beside, MappedFile(trained.first_stage_file).bytes());
  }
  write_model_file(path, file, at::kFloat);
}

}  // namespace ldm
