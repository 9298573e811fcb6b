#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/core/log.h"
#include "ldm/data/captions.h"
#include "ldm/diffusion/loss_weight.h"
#include "ldm/train/adamw.h"
#include "ldm/train/ema.h"
#include "ldm/train/task_section.h"

namespace ldm {

// The sections of a run's YAML. `model` is the original's schema; `data` and `train` say what its Python
// classes and Lightning's trainer said. See configs/emoji for complete, commented runs.

struct ModelSection {
  double base_learning_rate = 1e-4;  // Used as it is, unless train.scale_lr.
  std::string target;                // See model/targets.h.
  Node params;                       // The target's own options.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("base_learning_rate", base_learning_rate, "learning rate");
    visit("target", target, "what is trained: autoencoder_kl, vq_model or latent_diffusion");
    visit.node("params", params, "the target's options");
  }
};

struct DataSection {
  std::string path;         // A folder of pictures.
  int64_t size = 64;        // Side of the square crop, in pixels.
  int64_t batch_size = 16;  // Pictures of one optimizer step and accumulation part.
  int64_t workers = 1;      // Threads that prepare batches ahead.
  bool flip = false;        // Mirror every other picture left to right.
  double held_out = 0.05;   // Fraction kept for validation where the data names no split of its own.
  CaptionOptions captions;
  TaskSection task;  // Stage two: what is given with each picture.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("path", path,
          "folder of pictures (with metadata.jsonl, x.txt beside x.png, or a folder per class)");
    visit("size", size, "side of the square pictures in pixels");
    visit("batch_size", batch_size, "pictures per step (times train.accumulate)");
    visit("workers", workers, "threads that prepare batches");
    visit("flip", flip, "mirror every other picture left to right");
    visit("held_out", held_out, "fraction kept for validation where the data has no split of its own");
    visit.group("captions", captions, "how a caption is drawn");
    visit.group("task", task, "stage two: what is given with each picture");
  }
};

struct TrainSection {
  int64_t steps = 10000;           // Optimizer steps; also the length of the learning rate's cosine.
  int64_t seed = 23;               // Every random draw is a function of it, the step and the sample.
  int64_t accumulate = 1;          // Batches per optimizer step.
  std::string precision = "fp32";  // fp32, or bf16 (autocast; weights stay fp32).
  std::string device = "auto";     // auto, cpu or cuda.
  int64_t threads = 0;             // CPU threads; 0: as many as there are cores.
  double max_minutes = 0;          // Stop with a checkpoint after so long; 0: no limit.
  int64_t warm_up_steps = 100;     // Steps of the learning rate's linear rise.
  double constant_fraction = 0.3;  // Part of the steps at the full rate before the cosine falls.
  double lr_floor = 0.02;          // Last learning rate, as a fraction of the full one.
  bool scale_lr = false;           // Multiply the learning rate by the pictures of a step, as the original.
  double clip_grad_norm = 1.0;     // Largest gradient norm; 0: no clipping.
  AdamWOptions optimizer;
  EmaOptions ema;
  std::string latent_cache = "memory";  // Stage two: memory (encode all pictures once), or none.
  LossWeightOptions loss_weight;        // Stage two: how much each timestep counts.
  // Stage two: how timesteps are drawn. stratified: a step's samples cover the schedule evenly; uniform: each
  // on its own, as the original.
  std::string timesteps = "stratified";
  // Stage two with scale_by_std: what the latents' deviation is measured on: data, or first_batch, as the
  // original.
  std::string scale_from = "data";
  // Stage one: what the discriminator's step sees. shared: the generator's reconstructions; own: those of a
  // second pass, after the autoencoder's update, as the original.
  std::string discriminator_pass = "shared";
  int64_t log_every = 20;
  int64_t validate_every = 1000;
  int64_t sample_every = 1000;
  int64_t checkpoint_every = 1000;
  int64_t keep_checkpoints = 2;
  std::vector<std::string>
      sample_prompts;  // Stage two: what the sample grids show; empty: 16 unconditional ones.

  uint64_t seed_bits() const { return static_cast<uint64_t>(seed); }

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("steps", steps, "optimizer steps; also the length of the learning rate's cosine");
    visit("seed", seed, "every random draw is a function of it, the step and the sample");
    visit("accumulate", accumulate, "batches per optimizer step");
    visit("precision", precision, "fp32 or bf16");
    visit("device", device, "auto, cpu or cuda");
    visit("threads", threads, "CPU threads; 0: as many as cores");
    visit("max_minutes", max_minutes, "stop with a checkpoint after so many minutes; 0: no limit");
    visit("warm_up_steps", warm_up_steps, "steps of the learning rate's linear rise");
    visit("constant_fraction", constant_fraction,
          "part of the steps at the full rate before the cosine falls");
    visit("lr_floor", lr_floor, "last learning rate as a fraction of the full one");
    visit("scale_lr", scale_lr, "multiply the learning rate by the pictures of a step, as the original");
    visit("clip_grad_norm", clip_grad_norm, "largest gradient norm; 0: no clipping");
    visit.group("optimizer", optimizer, "AdamW");
    visit.group("ema", ema, "average of the weights");
    visit("latent_cache", latent_cache, "memory: encode all pictures once; none: encode every batch");
    visit.group("loss_weight", loss_weight, "stage two: how much each timestep's loss counts");
    visit("timesteps", timesteps, "stage two: how timesteps are drawn: stratified or uniform");
    visit("scale_from", scale_from, "stage two: latents that scale_by_std measures: data or first_batch");
    visit("discriminator_pass", discriminator_pass,
          "stage one: reconstructions of the discriminator's step: shared or own");
    visit("log_every", log_every, "steps between log lines");
    visit("validate_every", validate_every, "steps between validations; 0: never");
    visit("sample_every", sample_every, "steps between sample grids; 0: never");
    visit("checkpoint_every", checkpoint_every, "steps between checkpoints; 0: only at the end");
    visit("keep_checkpoints", keep_checkpoints, "newest checkpoints kept");
    visit("sample_prompts", sample_prompts, "stage two: prompts of the sample grids");
  }
};

struct RunConfig {
  ModelSection model;
  DataSection data;
  TrainSection train;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit.group("model", model, "what is trained");
    visit.group("data", data, "on which pictures");
    visit.group("train", train, "how");
  }
};

// Reads the file and applies overrides ("data.path=my/pictures"). Files of the original are understood (see
// train/original_run.h); what they say without effect is told to `log`. Throws kUsage for unknown keys and
// values out of range, kData when the file cannot be read.
RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                          const LogFn& log = {});

}  // namespace ldm
