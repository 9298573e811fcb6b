#include "ldm/train/autoencoder_task.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/image/grid.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/model_file.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/pca.h"
#include "ldm/pipeline/pictures.h"
#include "ldm/train/autocast.h"
#include "ldm/train/autoencoder_data.h"
#include "ldm/train/autoencoder_objective.h"
#include "ldm/train/best_model.h"
#include "ldm/train/codebook.h"
#include "ldm/train/first_stage_weights.h"
#include "ldm/train/lr_schedule_config.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr char kPrefix[] = "first_stage_model.";
constexpr char kDiscriminatorPrefix[] = "loss.discriminator.";

class AutoencoderTask : public TrainTask {
 public:
  AutoencoderTask(const RunConfig& config, const LogFn& log, const ProgressFn& progress,
                  const StopToken& stop)
      : config_(config), device_(pick_training_device(config.train.device)) {
    read_options(config.model.params, options_, "model.params");
    static_cast<void>(monitor());  // Refuses an unknown figure before the long work.
    learning_rate_ = training_learning_rate(config, options_.scheduler_config);
    data_.emplace(config.data, config.train.seed_bits(), options_.batch_resize_range, log, progress, stop);
    at::manual_seed(config.train.seed_bits());
    objective_ = make_autoencoder_objective(config.model);
    const auto factor = objective_->first_stage().downsampling();
    check(config.data.size % factor == 0, "data.size: expected a multiple of ", factor,
          " pixels (ddconfig halves and folds so far), got ", config.data.size);
    for (const auto side : options_.batch_resize_range) {
      check(side % factor == 0, "model.params.batch_resize_range: expected multiples of ", factor,
            " pixels, got ", side);
    }
    objective_->first_stage().to(device_);
    objective_->loss().to(device_);
    fit_shortcut(log, stop);
    start_codebook();
    start_from_file(log);
    const auto parameters = named_parameters(objective_->first_stage(), kPrefix);
    optimizer_.emplace(
        std::vector<ParameterGroup>{{.parameters = parameters, .lr_factor = options_.lr_g_factor}},
        config.train.optimizer);
    ema_.emplace(parameters, config.train.ema,
                 config.train.ema.per_batch ? config.data.batch_size : images_per_step());
    discriminator_optimizer_.emplace(
        named_parameters(objective_->loss().discriminator(), kDiscriminatorPrefix), config.train.optimizer);
  }

  int64_t images_per_step() const override { return config_.data.batch_size * config_.train.accumulate; }

  Scalars step(int64_t step) override {
    seed_dropout(config_.train.seed_bits(), step);
    if (codebook_ && codebook_->due(step)) restart_codes(step);
    const double rate = learning_rate_(step);
    const bool adversarial = objective_->loss().discriminator_active(step);
    optimizer_->zero_grad();
    discriminator_optimizer_->zero_grad();
    Scalars sums;
    std::vector<Reconstruction> parts;
    for (int64_t part = 0; part < config_.train.accumulate; ++part) {
      parts.push_back(backward(step, part, sums));
      if (!adversarial) parts.pop_back();
      if (config_.train.ema.per_batch && part + 1 < config_.train.accumulate) ema_->update();
    }
    const double norm = sums["gradient_norm"] = update(*optimizer_, rate, sums.at("loss"));
    if (std::isfinite(sums.at("loss")) && std::isfinite(norm)) ema_->update();
    if (adversarial) {
      discriminator_optimizer_->zero_grad();  // The generator's pass left gradients there.
      for (size_t part = 0; part < parts.size(); ++part) {
        if (config_.train.discriminator_pass == "own")
          parts[part] = second_pass(parts[part].images, step, static_cast<int64_t>(part));
        discriminator_backward(parts[part], step, sums);
      }
      update(*discriminator_optimizer_, rate, sums.at("disc_loss"));
    }
    sums["learning_rate"] = rate;
    return sums;
  }

  Scalars validate() override {
    const auto chosen = measuring_examples(*data_->held_out(), 256);
    if (chosen.empty()) return {};
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&objective_->first_stage()});
    torch::NoGradGuard no_grad;
    double psnr = 0, l1 = 0, distance = 0;
    const bool perceptual = monitor() == "rec_loss";
    for (const auto index : chosen) {
      const auto image = load_pictures(*data_->held_out(), {index}).to(device_);
      const auto again = reconstruct(image);
      psnr += 10 * std::log10(4.0 / (again - image).square().mean().item<double>());
      l1 += (again - image).abs().mean().item<double>();
      if (perceptual) distance += objective_->loss().distance(image, again).item<double>();
    }
    const auto count = static_cast<double>(chosen.size());
    Scalars figures{{"psnr", psnr / count}, {"l1", l1 / count}};
    if (perceptual) figures["rec_loss"] = distance / count;
    if (linear_psnr_ > 0) figures["psnr_of_linear_code"] = linear_psnr_;
    if (codebook_) figures["codes_used"] = codebook_->used_fraction(*data_->held_out(), chosen);
    return figures;
  }

  std::string monitor() const override {
    return monitored_figure(options_.monitor, {"rec_loss", "psnr", "l1"});
  }

  std::vector<std::pair<std::string, Image>> pictures() override {
    const auto& source = data_->held_out()->size() > 0 ? data_->held_out() : data_->train();
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&objective_->first_stage()});
    torch::NoGradGuard no_grad;
    const auto inputs = load_pictures(*source, measuring_examples(*source, 12)).to(device_);
    const auto rows = to_images(at::cat({inputs, reconstruct(inputs)}));
    std::vector<std::pair<std::string, Image>> out;
    out.emplace_back("reconstructions", make_grid(rows, inputs.size(0)));
    return out;
  }

  std::map<std::string, StateDict> state() const override {
    auto model = state_dict(objective_->first_stage(), kPrefix);
    model.merge(state_dict(objective_->loss().discriminator(), kDiscriminatorPrefix));
    auto optimizer = optimizer_->state();
    optimizer.merge(discriminator_optimizer_->state());
    return {{"model", std::move(model)}, {"optimizer", std::move(optimizer)}, {"ema", ema_->state()}};
  }

  void load_state(const std::map<std::string, StateDict>& state) override {
    const auto& model = state.at("model");
    require(load_state_dict(objective_->first_stage(), with_prefix(model, kPrefix), kPrefix));
    require(load_state_dict(objective_->loss().discriminator(), with_prefix(model, kDiscriminatorPrefix),
                            kDiscriminatorPrefix));
    optimizer_->load_state(with_prefix(state.at("optimizer"), kPrefix));
    discriminator_optimizer_->load_state(with_prefix(state.at("optimizer"), kDiscriminatorPrefix));
    ema_->load_state(state.at("ema"));
  }

  void export_model(const std::filesystem::path& path) const override {
    auto tensors = state_dict(objective_->first_stage(), kPrefix);
    for (const auto& [name, average] : ema_->shadow()) tensors[name] = average;
    tensors.erase(std::string(kPrefix) + "quantize.used");  // Of remap, which drawing needs not.
    write_model_file(path,
                     {.kind = ModelKind::kFirstStage,
                      .config = config_for_model_file(config_),
                      .tensors = std::move(tensors)},
                     at::kFloat);
  }

 private:
  static void require(const LoadReport& report) {
    check(report.ok(), ErrorKind::kFormat, "train: the weights do not fit the configuration\n",
          report.table());
  }

  static StateDict with_prefix(const StateDict& tensors, const std::string& prefix) {
    StateDict out;
    for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix); ++it) {
      out.insert(*it);
    }
    return out;
  }

  // Starts the linear shortcut as the best linear code of the training pictures.
  void fit_shortcut(const LogFn& log, const StopToken& stop) {
    auto* shortcut = objective_->shortcut();
    if (shortcut == nullptr) return;
    const auto& stage = objective_->first_stage();
    PatchPca pca(3, stage.downsampling());
    constexpr int64_t kBatch = 64;
    for (int64_t first = 0; first < data_->train()->size(); first += kBatch) {
      check_stop(stop, "train: stopped after ", first, " pictures of the linear code");
      std::vector<int64_t> batch;
      for (int64_t i = first; i < std::min(data_->train()->size(), first + kBatch); ++i) batch.push_back(i);
      pca.add(load_pictures(*data_->train(), batch));
    }
    const auto fit = pca.fit(stage.latent_channels(), /*gamma=*/0.5);
    shortcut->assign(fit.code);
    const auto measured = measuring_examples(*data_->held_out(), 256);
    if (measured.empty()) return;
    linear_psnr_ = reconstruction_psnr(fit.code, load_pictures(*data_->held_out(), measured));
    log_info(log, "linear code (PCA) of the same size: " + std::to_string(linear_psnr_) +
                      " dB on held-out pictures");
  }

  // model.params.ckpt_path: the weights of a first stage instead of a new start.
  void start_from_file(const LogFn& log) {
    const auto& path = options_.ckpt_path;
    if (path.empty()) return;
    auto report = load_state_dict(objective_->first_stage(), first_stage_weights(path), kPrefix);
    std::erase(report.missing, std::string(kPrefix) + "quantize.used");  // Comes with the options.
    require(report);
    log_info(log, "starts from the weights of " + path);
  }

  // Of a VQ model.
  void start_codebook() {
    const auto* model = dynamic_cast<const VQModel*>(&objective_->first_stage());
    if (model == nullptr) return;
    codebook_.emplace(*model, data_->train(), device_, config_.train.seed_bits(), options_.codebook_restart);
    if (options_.codebook_restart > 0) codebook_->start();
  }

  void restart_codes(int64_t step) {
    const EvaluationScope evaluation({&objective_->first_stage()});
    const std::string name = std::string(kPrefix) + "quantize.embedding.weight";
    const auto optimizer = optimizer_->state();
    codebook_->restart(step, ema_->shadow().at(name),
                       {optimizer.at(name + ".exp_avg"), optimizer.at(name + ".exp_avg_sq")});
  }

  torch::Tensor unit_noise(const char* purpose, int64_t step, int64_t part,
                           const torch::Tensor& images) const {
    const auto& stage = objective_->first_stage();
    const auto f = stage.downsampling();
    return sample_noise(config_.train.seed_bits(), purpose, step, part * config_.data.batch_size,
                        config_.data.batch_size,
                        {stage.latent_channels(), images.size(2) / f, images.size(3) / f})
        .to(device_);
  }

  // One part of the step: adds the autoencoder's gradient and its figures.
  Reconstruction backward(int64_t step, int64_t part, Scalars& sums) {
    const auto images = data_->images(step * config_.train.accumulate + part, step).to(device_);
    const AutocastScope autocast(device_.type(), config_.train.precision);
    const auto pass = objective_->reconstruct(images, unit_noise("posterior", step, part, images),
                                              unit_noise("latent", step, part, images));
    const auto terms = objective_->generator_loss(pass, step);
    const auto share = 1.0 / static_cast<double>(config_.train.accumulate);
    (terms.loss * share).backward();
    add(terms.log, share, sums);
    sums["loss"] += share * terms.loss.item<double>();
    return {.images = images, .result = pass.result.detach(), .regulariser = {}};
  }

  // The same pictures once more, by the updated autoencoder and with other noise.
  Reconstruction second_pass(const torch::Tensor& images, int64_t step, int64_t part) const {
    torch::NoGradGuard no_grad;
    const AutocastScope autocast(device_.type(), config_.train.precision);
    return objective_->reconstruct(images, unit_noise("posterior of the second pass", step, part, images),
                                   unit_noise("latent of the second pass", step, part, images));
  }

  void discriminator_backward(const Reconstruction& pass, int64_t step, Scalars& sums) {
    const AutocastScope autocast(device_.type(), config_.train.precision);
    const auto terms = objective_->loss().discriminator_step(pass.images, pass.result, step);
    const auto share = 1.0 / static_cast<double>(config_.train.accumulate);
    (terms.loss * share).backward();
    add(terms.log, share, sums);
  }

  static void add(const std::map<std::string, torch::Tensor>& log, double share, Scalars& sums) {
    for (const auto& [name, value] : log) sums[name] += share * value.item<double>();
  }

  // Clips and steps unless something is not finite; the gradient's norm.
  double update(AdamW& optimizer, double rate, double loss) const {
    const double clip = config_.train.clip_grad_norm > 0 ? config_.train.clip_grad_norm : INFINITY;
    const double norm = clip_grad_norm(optimizer.parameters(), clip);
    if (std::isfinite(norm) && std::isfinite(loss)) optimizer.step(rate);
    return norm;
  }

  torch::Tensor reconstruct(const torch::Tensor& images) const {
    const auto& stage = objective_->first_stage();
    return stage.decode(stage.encode(images)).clamp(-1, 1);
  }

  RunConfig config_;
  at::Device device_;
  FirstStageOptions options_;
  LrSchedule learning_rate_;  // Of the discriminator; the autoencoder's is lr_g_factor times it.
  std::optional<AutoencoderData> data_;
  std::unique_ptr<AutoencoderObjective> objective_;
  double linear_psnr_ = 0;
  std::optional<CodebookKeeper> codebook_;  // VQ alone.
  std::optional<AdamW> optimizer_, discriminator_optimizer_;
  std::optional<LitEma> ema_;
};

}  // namespace

std::unique_ptr<TrainTask> make_autoencoder_task(const RunConfig& config, const LogFn& log,
                                                 const ProgressFn& progress, const StopToken& stop) {
  return std::make_unique<AutoencoderTask>(config, log, progress, stop);
}

}  // namespace ldm
