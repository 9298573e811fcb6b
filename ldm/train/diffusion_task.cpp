#include "ldm/train/diffusion_task.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/train/autocast.h"
#include "ldm/train/best_model.h"
#include "ldm/train/condition_check.h"
#include "ldm/train/diffusion_data.h"
#include "ldm/train/diffusion_model.h"
#include "ldm/train/diffusion_objective.h"
#include "ldm/train/diffusion_samples.h"
#include "ldm/train/latent_set.h"
#include "ldm/train/lr_schedule_config.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr char kScaleName[] = "scale_factor";  // As in the original's checkpoints.
constexpr char kLogvarName[] = "logvar";
constexpr char kVocabularyName[] = "vocabulary";  // The bytes of vocab.txt.

class DiffusionTask : public TrainTask {
 public:
  DiffusionTask(const RunConfig& config, const LogFn& log, const ProgressFn& progress, const StopToken& stop)
      : device_(pick_training_device(config.train.device)),
        data_(config.data, config.train.seed_bits(), log, progress, stop),
        config_(with_data(config, data_.task())),
        trained_(open_trained_model(
            config_, device_, [this] { return data_.caption_corpus(); }, log)),
        model_(trained_.model),
        learning_rate_(training_learning_rate(config, model_->options().scheduler_config)) {
    static_cast<void>(monitor());  // Refuses an unknown figure before the long work.
    check_condition_fits(*model_, data_.draw(0, model_->conditioner()).conditions.front(),
                         config_.data.task.kind);
    encode_data(log, progress, stop);
    objective_.emplace(model_, config.train.loss_weight, device_);
    optimizer_.emplace(trained_parameters(), config.train.optimizer);
    auto average = config.train.ema;
    if (!model_->options().use_ema) average = {.decay = 0};
    ema_.emplace(averaged_parameters(), average,
                 average.per_batch ? config.data.batch_size : images_per_step());
  }

  int64_t images_per_step() const override { return config_.data.batch_size * config_.train.accumulate; }

  Scalars step(int64_t step) override {
    seed_dropout(config_.train.seed_bits(), step);
    optimizer_->zero_grad();
    Scalars figures;
    for (int64_t part = 0; part < config_.train.accumulate; ++part) {
      backward(step, part, figures);
      if (config_.train.ema.per_batch && part + 1 < config_.train.accumulate) ema_->update();
    }
    const double clip = config_.train.clip_grad_norm > 0 ? config_.train.clip_grad_norm : INFINITY;
    const double norm = clip_grad_norm(optimizer_->parameters(), clip);
    const double rate = learning_rate_(step);
    if (std::isfinite(norm) && std::isfinite(figures.at("loss"))) {
      optimizer_->step(rate);
      ema_->update();
    }
    figures["gradient_norm"] = norm;
    figures["learning_rate"] = rate;
    return figures;
  }

  Scalars validate() override {
    if (!held_out_latents_) return {};
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&model_->unet(), model_->conditioner()});
    torch::NoGradGuard no_grad;
    constexpr int64_t kLevels = 10;  // Timesteps T/20, 3T/20, ...
    constexpr size_t kMeasureBatch = 64;
    const auto chosen = measuring_examples(*data_.held_out(), 128);
    double sum = 0;
    for (size_t first = 0; first < chosen.size(); first += kMeasureBatch) {
      const auto end = std::min(first + kMeasureBatch, chosen.size());
      const HeldOutBatch batch = open_held_out({chosen.data() + first, end - first});
      for (int64_t level = 0; level < kLevels; ++level) {
        sum += held_out_loss(batch, static_cast<int64_t>(first), level,
                             (2 * level + 1) * model_->schedule().timesteps() / (2 * kLevels));
      }
    }
    return {{"loss", sum / static_cast<double>(kLevels * static_cast<int64_t>(chosen.size()))}};
  }

  std::string monitor() const override { return monitored_figure(model_->options().monitor, {"loss"}); }

  std::vector<std::pair<std::string, Image>> pictures() override {
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&model_->unet(), model_->conditioner()});
    std::vector<std::pair<std::string, Image>> out;
    constexpr int64_t kShown = 8;
    const auto shown = data_.shown_examples(kShown);
    out.emplace_back("samples", shown.empty() ? draw_sample_grid(model_, config_.train.sample_prompts)
                                              : draw_task_grid(model_, shown, data_.null_condition()));
    return out;
  }

  std::map<std::string, StateDict> state() const override {
    auto model = model_->state();
    model[kScaleName] = at::scalar_tensor(model_->scale_factor(), at::kDouble);
    if (objective_->learns_logvar()) model[kLogvarName] = objective_->logvar().detach();
    if (const auto bytes = vocabulary_bytes(*model_); bytes.numel() > 0) model[kVocabularyName] = bytes;
    return {{"model", std::move(model)}, {"optimizer", optimizer_->state()}, {"ema", ema_->state()}};
  }

  void load_state(const std::map<std::string, StateDict>& state) override {
    const auto& model = state.at("model");
    model_->load(model);
    // Both come from the pictures and captions, which may have changed since the run began.
    if (const auto found = model.find(kScaleName); found != model.end())
      model_->set_scale_factor(found->second.item<double>());
    if (const auto found = model.find(kVocabularyName); found != model.end()) {
      check(at::equal(found->second, vocabulary_bytes(*model_)), ErrorKind::kData, "train: the captions of ",
            config_.data.path,
            " have changed since this run began, and with them the vocabulary; hint: a new",
            " run (--out) takes them as they are");
    }
    load_logvar(model);
    optimizer_->load_state(state.at("optimizer"));
    ema_->load_state(state.at("ema"));
  }

  void export_model(const std::filesystem::path& path) const override {
    export_trained_model(path, trained_, config_, ema_->shadow());
  }

 private:
  void encode_data(const LogFn& log, const ProgressFn& progress, const StopToken& stop) {
    const auto& first_stage = model_->first_stage_ptr();
    const bool wanted = config_.train.latent_cache == "memory", varies = data_.train()->pictures_vary();
    if (wanted && varies)
      log_info(log, "pictures are cropped or mirrored at random: each batch is encoded anew");
    train_latents_.emplace(data_.train(), first_stage, device_, wanted && !varies, progress, stop);
    if (data_.held_out()->size() > 0) {
      held_out_latents_.emplace(data_.held_out(), first_stage, device_, true, progress, stop);
    }
    const auto& options = model_->options();
    if (!options.scale_by_std || !options.ckpt_path.empty()) return;  // A given checkpoint keeps its scale.
    model_->set_scale_factor(config_.train.scale_from == "data"
                                 ? 1.0 / train_latents_->standard_deviation()
                                 : latent_scale(latents(data_.draw(0, model_->conditioner()), 0, 0)));
  }

  NamedParameters trained_parameters() const {
    auto parameters = named_parameters(model_->unet(), "model.diffusion_model.");
    if (model_->conditioner() != nullptr && model_->options().cond_stage_trainable) {
      const auto more = named_parameters(*model_->conditioner(), "cond_stage_model.");
      parameters.insert(parameters.end(), more.begin(), more.end());
    }
    if (objective_->learns_logvar()) parameters.emplace_back(kLogvarName, objective_->logvar());
    return parameters;
  }

  NamedParameters averaged_parameters() const {
    auto parameters = trained_parameters();
    std::erase_if(parameters, [&](const auto& entry) {
      return entry.first == kLogvarName ||
             (config_.train.ema.network_only && entry.first.starts_with("cond_stage_model."));
    });
    return parameters;
  }

  // Latents of a batch, not scaled; each a new sample where the first stage has a posterior.
  torch::Tensor latents(const TrainingBatch& batch, int64_t step, int64_t first) const {
    const auto count = static_cast<int64_t>(batch.indices.size());
    const auto noise = sample_noise(config_.train.seed_bits(), "posterior", step, first, count,
                                    train_latents_->latent_shape());
    return batch.pictures.defined() ? train_latents_->encode_drawn(batch.pictures, noise)
                                    : train_latents_->get(batch.indices, noise);
  }

  void load_logvar(const StateDict& model) {
    if (!objective_->learns_logvar()) return;
    const auto found = model.find(kLogvarName);
    check(found != model.end() && found->second.sizes() == objective_->logvar().sizes(), ErrorKind::kFormat,
          "train: expected logvar ", objective_->logvar().sizes(), " in the checkpoint");
    torch::NoGradGuard no_grad;
    auto logvar = objective_->logvar();
    logvar.copy_(found->second);
  }

  // Adds one batch's gradient, and its share of the figures.
  void backward(int64_t step, int64_t part, Scalars& figures) {
    const auto seed = config_.train.seed_bits();
    const auto n = config_.data.batch_size;
    const auto number = step * config_.train.accumulate + part;
    const auto batch = data_.draw(number, model_->conditioner());
    const auto first = part * n;  // Index of the first sample within the step.
    const auto clean = latents(batch, step, first) * model_->scale_factor();
    const auto noise =
        sample_noise(seed, "noise", step, first, n, train_latents_->latent_shape()).to(device_);
    const auto t = timesteps(step, first).to(device_);
    const auto terms = loss(clean, noise, t, batch.conditions);
    const auto share = static_cast<double>(config_.train.accumulate);
    const auto scaled = terms.loss / share;
    scaled.backward();
    figures["loss"] += scaled.item<double>();
    for (const auto& [name, value] : terms.log) figures[name] += value.item<double>() / share;
  }

  LossTerms loss(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& t,
                 const std::vector<Condition>& conditions) const {
    const AutocastScope autocast(device_.type(), config_.train.precision);
    return objective_->loss(clean, noise, t, model_->encode(conditions));
  }

  struct HeldOutBatch {
    torch::Tensor clean;
    Conditioning condition;
  };

  HeldOutBatch open_held_out(std::span<const int64_t> examples) const {
    const std::vector<int64_t> batch(examples.begin(), examples.end());
    const AutocastScope autocast(device_.type(), config_.train.precision);
    return {.clean = held_out_latents_->get(batch, {}) * model_->scale_factor(),
            .condition = model_->encode(data_.plain_conditions(batch))};
  }

  // The sum over a batch's examples of their loss at timestep t, with noise that is the same every time.
  double held_out_loss(const HeldOutBatch& batch, int64_t first, int64_t level, int64_t t) const {
    const auto n = batch.clean.size(0);
    const auto noise =
        sample_noise(config_.train.seed_bits(), "validation", level, first, n, train_latents_->latent_shape())
            .to(device_);
    const auto ts = at::full({n}, t, at::kLong).to(device_);
    const AutocastScope autocast(device_.type(), config_.train.precision);
    return objective_->sample_losses(batch.clean, noise, ts, batch.condition).sum().item<double>();
  }

  // Stratified: sample k of the step's M draws from the k-th M-th of the schedule, in random order.
  torch::Tensor timesteps(int64_t step, int64_t first) const {
    const auto seed = config_.train.seed_bits();
    const auto all = images_per_step(), levels = model_->schedule().timesteps();
    const bool stratified = config_.train.timesteps == "stratified";
    const auto strata = permutation(all, Random(seed, "strata", static_cast<uint64_t>(step)));
    auto t = at::empty({config_.data.batch_size}, at::kLong);
    auto* out = t.data_ptr<int64_t>();
    for (int64_t k = first; k < first + config_.data.batch_size; ++k) {
      Random random(seed, "timestep", static_cast<uint64_t>(step), static_cast<uint64_t>(k));
      *out++ = stratified ? stratified_timestep(strata[static_cast<size_t>(k)], all, random.uniform(), levels)
                          : random.below(levels);
    }
    return t;
  }

  at::Device device_;
  DiffusionData data_;
  RunConfig config_;  // With what the data says filled in.
  TrainedModel trained_;
  std::shared_ptr<LatentDiffusion> model_;
  LrSchedule learning_rate_;
  std::optional<LatentSet> train_latents_, held_out_latents_;
  std::optional<DiffusionObjective> objective_;
  std::optional<AdamW> optimizer_;
  std::optional<LitEma> ema_;
};

}  // namespace

std::unique_ptr<TrainTask> make_diffusion_task(const RunConfig& config, const LogFn& log,
                                               const ProgressFn& progress, const StopToken& stop) {
  return std::make_unique<DiffusionTask>(config, log, progress, stop);
}

}  // namespace ldm
