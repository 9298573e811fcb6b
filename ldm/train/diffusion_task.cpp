#include "ldm/train/diffusion_task.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/data/batch_order.h"
#include "ldm/data/image_folder.h"
#include "ldm/data/loader.h"
#include "ldm/diffusion/loss_weight.h"
#include "ldm/diffusion/training.h"
#include "ldm/image/grid.h"
#include "ldm/io/file.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/model_file.h"
#include "ldm/model/targets.h"
#include "ldm/pipeline/generator.h"
#include "ldm/text/wordpiece_trainer.h"
#include "ldm/train/autocast.h"
#include "ldm/train/latent_set.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr char kScaleName[] = "scale_factor";     // As in the original's checkpoints.
constexpr char kVocabularyName[] = "vocabulary";  // The bytes of vocab.txt.

// The first stage that model.params.first_stage_config names, and its file.
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

NamedFirstStage open_first_stage(const Node& config) {
  const std::string where = "model.params.first_stage_config";
  const auto target = parse_target(config.at("target").text(), where + ".target");
  if (target == Target::kIdentity) return {std::make_shared<IdentityFirstStage>(), {}};
  check(target == Target::kFirstStageFile, where,
        ".target: stage two needs a trained first stage; expected first_stage_file",
        " with params.path (the model.safetensors that stage one wrote) or identity, got '",
        to_string(target), "'");
  FirstStageFileOptions options;
  read_options(config.at("params"), options, where + ".params");
  return {load_first_stage(options.path), options.path};
}

// All words that a caption may hold.
std::vector<std::string> caption_corpus(const Dataset& data) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < data.size(); ++i) {
    const auto& words = data.info(i).words;
    texts.push_back(words.text);
    texts.insert(texts.end(), words.keywords.begin(), words.keywords.end());
    if (!words.colour.empty()) texts.push_back(words.colour);
    if (!words.style.empty()) texts.push_back(words.style);
  }
  return texts;
}

class DiffusionTask : public TrainTask {
 public:
  DiffusionTask(const RunConfig& config, const LogFn& log, const ProgressFn& progress, const StopToken& stop)
      : config_(config),
        device_(pick_training_device(config.train.device)),
        schedule_(training_lr_schedule(config.train)) {
    check_caption_options(config.data.captions);
    if (config.data.flip) log_warning(log, "data.flip has no effect on latents: stage two trains without it");
    open_data(log, progress, stop);
    make_model(log);
    train_latents_.emplace(train_, model_->first_stage_ptr(), device_, config.train.latent_cache == "memory",
                           progress, stop);
    if (held_out_->size() > 0) {
      held_out_latents_.emplace(held_out_, model_->first_stage_ptr(), device_, true, progress, stop);
    }
    const bool fresh =
        model_->options().ckpt_path.empty();  // As the original: a given checkpoint keeps its scale.
    if (model_->options().scale_by_std && fresh)
      model_->set_scale_factor(1.0 / train_latents_->standard_deviation());
    parameters_ = named_parameters(model_->unet(), "model.diffusion_model.");
    if (model_->conditioner() && model_->options().cond_stage_trainable) {
      const auto more = named_parameters(*model_->conditioner(), "cond_stage_model.");
      parameters_.insert(parameters_.end(), more.begin(), more.end());
    }
    loss_type_ = parse_loss_type(model_->options().loss_type);
    weights_ = at::tensor(loss_weights(model_->schedule(), model_->prediction(), config.train.loss_weight),
                          at::kFloat)
                   .to(device_);
    optimizer_.emplace(parameters_, config.train.optimizer);
    ema_.emplace(parameters_, config.train.ema);
  }

  int64_t images_per_step() const override { return config_.data.batch_size * config_.train.accumulate; }

  Scalars step(int64_t step) override {
    seed_dropout(config_.train.seed_bits(), step);
    optimizer_->zero_grad();
    double loss = 0;
    for (int64_t part = 0; part < config_.train.accumulate; ++part) loss += backward(step, part);
    const double clip = config_.train.clip_grad_norm > 0 ? config_.train.clip_grad_norm : INFINITY;
    const double norm = clip_grad_norm(optimizer_->parameters(), clip);
    const double rate = config_.model.base_learning_rate * schedule_(step);
    if (std::isfinite(norm) && std::isfinite(loss)) {
      optimizer_->step(rate);
      ema_->update();
    }
    return {{"loss", loss}, {"gradient_norm", norm}, {"learning_rate", rate}};
  }

  Scalars validate() override {
    if (!held_out_latents_) return {};
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&model_->unet(), model_->conditioner()});
    torch::NoGradGuard no_grad;
    constexpr int64_t kLevels = 10, kMeasureBatch = 64;  // Timesteps T/20, 3T/20, ...
    const auto chosen = measuring_examples(*held_out_, 128);
    double sum = 0, count = 0;
    for (int64_t level = 0; level < kLevels; ++level) {
      const auto t = (2 * level + 1) * model_->schedule().timesteps() / (2 * kLevels);
      for (size_t first = 0; first < chosen.size(); first += kMeasureBatch) {
        const std::vector<int64_t> batch(
            chosen.begin() + static_cast<int64_t>(first),
            chosen.begin() + static_cast<int64_t>(std::min(first + kMeasureBatch, chosen.size())));
        const auto n = static_cast<int64_t>(batch.size());
        const auto clean = held_out_latents_->get(batch, {}) * model_->scale_factor();
        const auto noise = sample_noise(config_.train.seed_bits(), "validation", level,
                                        static_cast<int64_t>(first), n, train_latents_->latent_shape());
        std::vector<Condition> conditions;
        for (const auto i : batch) {
          conditions.push_back(
              {.caption = plain_caption(held_out_->info(i).words), .label = held_out_->info(i).label});
        }
        const auto ts = at::full({n}, t, at::kLong);
        sum += sample_losses(clean, noise.to(device_), ts.to(device_), conditions).sum().item<double>();
        count += static_cast<double>(n);
      }
    }
    return {{"loss", sum / count}};
  }

  std::vector<std::pair<std::string, Image>> pictures() override {
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&model_->unet(), model_->conditioner()});
    const Generator generator(model_);
    std::vector<Image> drawn;
    for (const auto& request : sample_requests()) {
      for (auto& image : generator.generate(request)) drawn.push_back(std::move(image.image));
    }
    std::vector<std::pair<std::string, Image>> out;
    out.emplace_back("samples", make_grid(drawn, static_cast<int64_t>(std::min<size_t>(drawn.size(), 8))));
    return out;
  }

  std::map<std::string, StateDict> state() const override {
    auto model = model_->state();
    model[kScaleName] = at::scalar_tensor(model_->scale_factor(), at::kDouble);
    if (const auto bytes = vocabulary_bytes(); bytes.numel() > 0) model[kVocabularyName] = bytes;
    return {{"model", std::move(model)}, {"optimizer", optimizer_->state()}, {"ema", ema_->state()}};
  }
  void load_state(const std::map<std::string, StateDict>& state) override {
    const auto& model = state.at("model");
    model_->load(model);
    // Both come from the pictures and captions, which may have changed since the run began.
    if (const auto found = model.find(kScaleName); found != model.end())
      model_->set_scale_factor(found->second.item<double>());
    if (const auto found = model.find(kVocabularyName); found != model.end()) {
      check(at::equal(found->second, vocabulary_bytes()), ErrorKind::kData, "train: the captions of ",
            config_.data.path,
            " have changed since this run began, and with them the vocabulary; hint: a new",
            " run (--out) takes them as they are");
    }
    optimizer_->load_state(state.at("optimizer"));
    ema_->load_state(state.at("ema"));
  }

  void export_model(const std::filesystem::path& path) const override {
    auto tensors = model_->state();
    for (const auto& [name, average] : ema_->shadow()) tensors[name] = average;
    // Stage one's own result is called as the model itself.
    auto first_stage = first_stage_file_.filename();
    if (first_stage == path.filename()) first_stage = "first-stage.safetensors";
    ModelFile file{.kind = ModelKind::kDiffusion,
                   .config = exported_config(),
                   .tensors = std::move(tensors),
                   .vocabulary = model_->conditioner() ? model_->conditioner()->vocabulary() : "",
                   .first_stage = first_stage.string(),
                   .first_stage_sha256 = first_stage_sha256_};
    if (!first_stage_file_.empty()) {
      const auto beside = path.parent_path() / file.first_stage;
      if (!std::filesystem::exists(beside) || file_sha256(beside) != first_stage_sha256_)
        write_file_atomic(beside, MappedFile(first_stage_file_).bytes());
    }
    write_model_file(path, file, at::kFloat);
  }

 private:
  void open_data(const LogFn& log, const ProgressFn& progress, const StopToken& stop) {
    const auto folder =
        open_image_folder({.path = config_.data.path, .size = config_.data.size}, log, progress, stop);
    train_ = make_split(folder.dataset, "train", config_.data.held_out);
    held_out_ = make_split(folder.dataset, "heldout", config_.data.held_out);
    check(train_->size() > 0, ErrorKind::kData, "train: no picture of ", config_.data.path,
          " is in the training split");
    order_.emplace(weights_of(*train_), config_.data.batch_size, config_.train.seed_bits());
    log_info(log, std::to_string(train_->size()) + " pictures to train on, " +
                      std::to_string(held_out_->size()) + " held out");
  }

  // Trained on the captions; empty unless the condition is text.
  std::string make_vocabulary(const LatentDiffusionOptions& options) const {
    const auto& config = options.cond_stage_config;
    if (options.conditioning_key.empty() || !config.is_map()) return {};
    const std::string where = "model.params.cond_stage_config";
    if (parse_target(config.at("target").text(), where + ".target") != Target::kTextTransformer) return {};
    TextTransformerOptions network;
    read_options(config.at("params"), network, where + ".params");
    return train_wordpiece(caption_corpus(*train_), network.vocab_size).to_vocab();
  }

  torch::Tensor vocabulary_bytes() const {
    const auto text = model_->conditioner() ? model_->conditioner()->vocabulary() : std::string();
    const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
    return at::tensor(at::ArrayRef<uint8_t>(bytes, text.size()), at::kByte);
  }

  // What the sample grids show: the prompts; without them each class in turn; without classes whatever comes.
  std::vector<GenerateRequest> sample_requests() const {
    const auto* conditioner = model_->conditioner();
    GenerateRequest plain{.steps = std::min<int64_t>(30, model_->schedule().timesteps()),
                          .guidance = conditioner != nullptr && conditioner->has_null() ? 3.0 : 1.0};
    std::vector<GenerateRequest> out;
    for (const auto& prompt : config_.train.sample_prompts) {
      out.push_back(plain);
      out.back().prompt = prompt;
    }
    const auto classes = conditioner != nullptr ? conditioner->classes() : 0;
    for (int64_t k = 0; out.size() < 16 && classes > 0; ++k) {
      out.push_back(plain);
      out.back().label = k % classes;
    }
    for (size_t k = 0; k < out.size(); ++k) out[k].seed = k;
    plain.count = 16;
    return out.empty() ? std::vector<GenerateRequest>{plain} : out;
  }

  // The label of the k-th sample of a batch, at times none, so that guidance learns what "no class" is.
  int64_t draw_label(int64_t index, int64_t number, size_t k) const {
    const auto* conditioner = model_->conditioner();
    if (conditioner == nullptr || conditioner->classes() == 0) return -1;
    Random random(config_.train.seed_bits(), "label dropout", static_cast<uint64_t>(number), k);
    const bool dropped = conditioner->has_null() && random.uniform() < config_.data.captions.dropout;
    return dropped ? -1 : train_->info(index).label;
  }

  void make_model(const LogFn& log) {
    LatentDiffusionOptions options;
    read_options(config_.model.params, options, "model.params");
    const auto first = open_first_stage(options.first_stage_config);
    first_stage_file_ = first.file;
    if (!first.file.empty()) first_stage_sha256_ = file_sha256(first.file);
    check(config_.data.size % first.stage->downsampling() == 0 &&
              config_.data.size / first.stage->downsampling() == options.image_size,
          "model.params.image_size: pictures of ", config_.data.size, " pixels have latents of ",
          config_.data.size / first.stage->downsampling(), " per side, got ", options.image_size);
    std::optional<ModelFile> start;
    if (!options.ckpt_path.empty()) start = read_model_file(options.ckpt_path);
    const auto vocabulary = start ? start->vocabulary : make_vocabulary(options);
    at::manual_seed(config_.train.seed_bits());
    model_ = std::make_shared<LatentDiffusion>(options, first.stage, vocabulary);
    if (start) start_from(*start, log);
    model_->to(device_, at::kFloat);
    model_->first_stage().eval();
    if (model_->conditioner() && !options.cond_stage_trainable) model_->conditioner()->eval();
    check(config_.train.sample_prompts.empty() ||
              (model_->conditioner() != nullptr && model_->conditioner()->classes() == 0),
          "train.sample_prompts: this model does not take words; expected an empty list");
    int64_t count = 0;
    for (const auto& [name, tensor] : model_->state()) count += tensor.numel();
    log_info(log, "a model of " + std::to_string(count) + " parameters on " + device_.str());
  }

  // Weights, vocabulary and latent scale of a model file instead of a new start.
  void start_from(const ModelFile& start, const LogFn& log) {
    const auto& path = model_->options().ckpt_path;
    check(start.kind == ModelKind::kDiffusion, "model.params.ckpt_path: expected a diffusion model, ", path,
          " is a first stage");
    model_->load(start.tensors);
    if (const auto* scale = start.config.find_path("model.params.scale_factor"); scale != nullptr) {
      model_->set_scale_factor(std::stod(scale->text()));
    }
    log_info(log, "starts from the weights of " + path);
  }

  // The loss of each sample [N] at timesteps t [N] (int64). All tensors are on the device.
  torch::Tensor sample_losses(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& t,
                              std::span<const Condition> conditions) const {
    const AutocastScope autocast(device_.type(), config_.train.precision);
    const auto noisy = q_sample(model_->schedule(), clean, t, noise);
    const auto target = training_target(model_->schedule(), model_->prediction(), clean, t, noise);
    const auto out = model_->predict(noisy, t, model_->encode(conditions)).to(at::kFloat);
    return per_sample_loss(loss_type_, out, target);
  }

  // Adds one batch's gradient and returns its share of the loss.
  double backward(int64_t step, int64_t part) {
    const auto seed = config_.train.seed_bits();
    const auto n = config_.data.batch_size;
    const auto number = step * config_.train.accumulate + part;
    const auto indices = order_->indices(number);
    const auto first = part * n;  // Index of the first sample within the step.
    const auto shape = train_latents_->latent_shape();
    const auto clean = train_latents_->get(indices, sample_noise(seed, "posterior", step, first, n, shape)) *
                       model_->scale_factor();
    const auto noise = sample_noise(seed, "noise", step, first, n, shape).to(device_);
    const auto t = timesteps(step, first).to(device_);
    auto captions = draw_captions(*train_, indices, number, config_.data.captions, seed);
    std::vector<Condition> conditions;
    for (size_t k = 0; k < indices.size(); ++k) {
      conditions.push_back({.caption = std::move(captions[k]), .label = draw_label(indices[k], number, k)});
    }
    auto losses = sample_losses(clean, noise, t, conditions);
    losses = losses * weights_.index_select(0, t);
    const auto loss = losses.mean() / static_cast<double>(config_.train.accumulate);
    loss.backward();
    return loss.item<double>();
  }

  // Stratified over the whole step: sample k of M draws from the k-th M-th of the schedule, in random order.
  torch::Tensor timesteps(int64_t step, int64_t first) const {
    const auto seed = config_.train.seed_bits();
    const auto all = images_per_step();
    const auto strata = permutation(all, Random(seed, "strata", static_cast<uint64_t>(step)));
    auto t = at::empty({config_.data.batch_size}, at::kLong);
    auto* out = t.data_ptr<int64_t>();
    for (int64_t k = first; k < first + config_.data.batch_size; ++k) {
      Random random(seed, "timestep", static_cast<uint64_t>(step), static_cast<uint64_t>(k));
      *out++ = stratified_timestep(strata[static_cast<size_t>(k)], all, random.uniform(),
                                   model_->schedule().timesteps());
    }
    return t;
  }

  Node exported_config() const {
    auto config = write_options(config_);
    auto* params = config.find("model")->find("params");
    params->set("scale_factor", Node::number(model_->scale_factor()));
    params->set("scale_by_std", Node::boolean(false));
    return config;
  }

  RunConfig config_;
  at::Device device_;
  LrSchedule schedule_;
  DatasetPtr train_, held_out_;
  std::optional<BatchOrder> order_;
  std::filesystem::path first_stage_file_;
  std::string first_stage_sha256_;
  std::shared_ptr<LatentDiffusion> model_;
  std::optional<LatentSet> train_latents_, held_out_latents_;
  LossType loss_type_ = LossType::kL2;
  torch::Tensor weights_;  // [timesteps]
  NamedParameters parameters_;
  std::optional<AdamW> optimizer_;
  std::optional<LitEma> ema_;
};

}  // namespace

std::unique_ptr<TrainTask> make_diffusion_task(const RunConfig& config, const LogFn& log,
                                               const ProgressFn& progress, const StopToken& stop) {
  return std::make_unique<DiffusionTask>(config, log, progress, stop);
}

}  // namespace ldm
