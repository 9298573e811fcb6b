#include "ldm/train/autoencoder_task.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/data/image_folder.h"
#include "ldm/data/loader.h"
#include "ldm/image/grid.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/model_file.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/pca.h"
#include "ldm/pipeline/generator.h"
#include "ldm/train/autocast.h"
#include "ldm/train/autoencoder_objective.h"
#include "ldm/train/codebook.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr char kPrefix[] = "first_stage_model.";
constexpr char kDiscriminatorPrefix[] = "loss.discriminator.";

class AutoencoderTask : public TrainTask {
 public:
  AutoencoderTask(const RunConfig& config, const LogFn& log)
      : config_(config),
        device_(pick_training_device(config.train.device)),
        schedule_(training_lr_schedule(config.train)) {
    open_data(log);
    at::manual_seed(config.train.seed_bits());
    objective_ = make_autoencoder_objective(config.model);
    const auto factor = objective_->first_stage().downsampling();
    check(config.data.size % factor == 0, "data.size: expected a multiple of ", factor,
          " pixels (ddconfig halves and folds so far), got ", config.data.size);
    objective_->first_stage().to(device_);
    objective_->loss().to(device_);
    fit_shortcut(log);
    start_codebook();
    start_from_file(log);
    optimizer_.emplace(named_parameters(objective_->first_stage(), kPrefix), config.train.optimizer);
    ema_.emplace(named_parameters(objective_->first_stage(), kPrefix), config.train.ema);
    discriminator_optimizer_.emplace(
        named_parameters(objective_->loss().discriminator(), kDiscriminatorPrefix), config.train.optimizer);
  }

  int64_t images_per_step() const override { return config_.data.batch_size * config_.train.accumulate; }

  Scalars step(int64_t step) override {
    seed_dropout(config_.train.seed_bits(), step);
    if (codebook_ && codebook_->due(step)) restart_codes(step);
    const double rate = config_.model.base_learning_rate * schedule_(step);
    const bool adversarial = objective_->loss().discriminator_active(step);
    optimizer_->zero_grad();
    discriminator_optimizer_->zero_grad();
    Scalars sums;
    std::vector<Reconstruction> parts;
    for (int64_t part = 0; part < config_.train.accumulate; ++part) {
      parts.push_back(backward(step, part, sums));
      if (!adversarial) parts.pop_back();
    }
    const double norm = sums["gradient_norm"] = update(*optimizer_, rate, sums.at("loss"));
    if (std::isfinite(sums.at("loss")) && std::isfinite(norm)) ema_->update();
    if (adversarial) {
      discriminator_optimizer_->zero_grad();  // The generator's pass left gradients there.
      for (const auto& part : parts) discriminator_backward(part, step, sums);
      update(*discriminator_optimizer_, rate, sums.at("disc_loss"));
    }
    sums["learning_rate"] = rate;
    return sums;
  }

  Scalars validate() override {
    const auto chosen = measuring_examples(*held_out_, 256);
    if (chosen.empty()) return {};
    const auto averaged = ema_->swap();
    const EvaluationScope evaluation({&objective_->first_stage()});
    torch::NoGradGuard no_grad;
    double psnr = 0, l1 = 0;
    for (const auto index : chosen) {
      const auto image = load_pictures(*held_out_, {index}).to(device_);
      const auto again = reconstruct(image);
      psnr += 10 * std::log10(4.0 / (again - image).square().mean().item<double>());
      l1 += (again - image).abs().mean().item<double>();
    }
    const auto count = static_cast<double>(chosen.size());
    Scalars figures{{"psnr", psnr / count}, {"l1", l1 / count}};
    if (linear_psnr_ > 0) figures["psnr_of_linear_code"] = linear_psnr_;
    if (codebook_) figures["codes_used"] = codebook_->used_fraction(*held_out_, chosen);
    return figures;
  }

  std::vector<std::pair<std::string, Image>> pictures() override {
    const auto& source = held_out_->size() > 0 ? held_out_ : train_;
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
    write_model_file(
        path,
        {.kind = ModelKind::kFirstStage, .config = write_options(config_), .tensors = std::move(tensors)},
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

  void open_data(const LogFn& log) {
    const auto folder = open_image_folder({.path = config_.data.path, .size = config_.data.size}, log);
    train_ = make_split(folder.dataset, "train", config_.data.held_out);
    held_out_ = make_split(folder.dataset, "heldout", config_.data.held_out);
    check(train_->size() > 0, ErrorKind::kData, "train: no picture of ", config_.data.path,
          " is in the training split");
    log_info(log, std::to_string(train_->size()) + " pictures to train on, " +
                      std::to_string(held_out_->size()) + " held out");
  }

  // Starts the linear shortcut as the best linear code of the training pictures.
  void fit_shortcut(const LogFn& log) {
    auto* shortcut = objective_->shortcut();
    if (shortcut == nullptr) return;
    const auto& stage = objective_->first_stage();
    PatchPca pca(3, stage.downsampling());
    constexpr int64_t kBatch = 64;
    for (int64_t first = 0; first < train_->size(); first += kBatch) {
      std::vector<int64_t> batch;
      for (int64_t i = first; i < std::min(train_->size(), first + kBatch); ++i) batch.push_back(i);
      pca.add(load_pictures(*train_, batch));
    }
    const auto fit = pca.fit(stage.latent_channels(), /*gamma=*/0.5);
    shortcut->assign(fit.code);
    const auto measured = measuring_examples(*held_out_, 256);
    if (measured.empty()) return;
    linear_psnr_ = reconstruction_psnr(fit.code, load_pictures(*held_out_, measured));
    log_info(log, "linear code (PCA) of the same size: " + std::to_string(linear_psnr_) +
                      " dB on held-out pictures");
  }

  // model.params.ckpt_path: the weights of a first stage instead of a new start.
  void start_from_file(const LogFn& log) {
    FirstStageOptions options;
    read_options(config_.model.params, options, "model.params");
    if (options.ckpt_path.empty()) return;
    const auto start = read_model_file(options.ckpt_path);
    check(start.kind == ModelKind::kFirstStage, "model.params.ckpt_path: expected a first stage, ",
          options.ckpt_path, " is a diffusion model");
    require(load_state_dict(objective_->first_stage(), with_prefix(start.tensors, kPrefix), kPrefix));
    log_info(log, "starts from the weights of " + options.ckpt_path);
  }

  // Of a VQ model.
  void start_codebook() {
    const auto* model = dynamic_cast<const VQModel*>(&objective_->first_stage());
    if (model == nullptr) return;
    FirstStageOptions options;
    read_options(config_.model.params, options, "model.params");
    codebook_.emplace(*model, train_, device_, config_.train.seed_bits(), options.codebook_restart);
    codebook_->start();
  }

  void restart_codes(int64_t step) {
    const EvaluationScope evaluation({&objective_->first_stage()});
    const std::string name = std::string(kPrefix) + "quantize.embedding.weight";
    const auto optimizer = optimizer_->state();
    codebook_->restart(step, ema_->shadow().at(name),
                       {optimizer.at(name + ".exp_avg"), optimizer.at(name + ".exp_avg_sq")});
  }

  Batch batch_at(int64_t number) {
    if (!loader_ || next_batch_ != number) {
      loader_.emplace(train_,
                      LoaderOptions{.batch_size = config_.data.batch_size,
                                    .seed = config_.train.seed_bits(),
                                    .workers = config_.data.workers,
                                    .flip = config_.data.flip},
                      number);
    }
    next_batch_ = number + 1;
    return std::move(*loader_->next());
  }

  torch::Tensor unit_noise(const char* purpose, int64_t step, int64_t part) const {
    const auto& stage = objective_->first_stage();
    const auto side = config_.data.size / stage.downsampling();
    return sample_noise(config_.train.seed_bits(), purpose, step, part * config_.data.batch_size,
                        config_.data.batch_size, {stage.latent_channels(), side, side})
        .to(device_);
  }

  // One part of the step: adds the autoencoder's gradient and its figures.
  Reconstruction backward(int64_t step, int64_t part, Scalars& sums) {
    const auto batch = batch_at(step * config_.train.accumulate + part);
    const AutocastScope autocast(device_.type(), config_.train.precision);
    const auto images = batch.images.to(device_);
    const auto pass = objective_->reconstruct(images, unit_noise("posterior", step, part),
                                              unit_noise("latent", step, part));
    const auto terms = objective_->generator_loss(pass, step);
    const auto share = 1.0 / static_cast<double>(config_.train.accumulate);
    (terms.loss * share).backward();
    add(terms.log, share, sums);
    sums["loss"] += share * terms.loss.item<double>();
    return {.images = images, .result = pass.result.detach(), .regulariser = {}};
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
  LrSchedule schedule_;
  DatasetPtr train_, held_out_;
  std::optional<Loader> loader_;
  int64_t next_batch_ = 0;
  std::unique_ptr<AutoencoderObjective> objective_;
  double linear_psnr_ = 0;
  std::optional<CodebookKeeper> codebook_;  // VQ alone.
  std::optional<AdamW> optimizer_, discriminator_optimizer_;
  std::optional<LitEma> ema_;
};

}  // namespace

std::unique_ptr<TrainTask> make_autoencoder_task(const RunConfig& config, const LogFn& log) {
  return std::make_unique<AutoencoderTask>(config, log);
}

}  // namespace ldm
