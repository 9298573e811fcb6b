// `ldm generate`: words to pictures.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/control_flag.h"
#include "cli/draw_model.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/preview_flag.h"
#include "cli/prompts_file.h"
#include "cli/recipe_options.h"
#include "cli/request_recipe.h"
#include "cli/sampling_flags.h"
#include "cli/steer_flag.h"
#include "cli/task_flags.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/image/grid.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/generator.h"
#include "ldm/pipeline/plan_sampling.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

struct GenerateFlags {
  GenerateRequest request;
  ModelFlags model;
  SamplingFlags sampling;
  ControlFlags control;
  SteerFlags steer;
  TaskFlags task;
  PreviewFlags preview;
  std::string out, size, memory, tile, prompts_file, from, noise = "cpu";
  std::string seed = "random";
  int64_t quality = 90;
  bool grid = false, force = false, json = false, samplers = false, no_recipe = false;
};

// One prompt and the files of its pictures.
struct PromptJob {
  std::string prompt;
  std::vector<fs::path> names;
};

std::vector<PromptJob> plan_jobs(const GenerateFlags& flags, OutputNames& names, NameFields fields) {
  const auto& request = flags.request;
  const bool several = !flags.prompts_file.empty();
  check(!several || request.prompt.empty(), "generate: expected one prompt or --prompts-file, got both");
  const auto prompts = several ? read_prompts_file(flags.prompts_file) : std::vector{request.prompt};
  std::vector<PromptJob> jobs;
  for (size_t k = 0; k < prompts.size(); ++k) {
    const auto& subject = prompts[k].empty() && request.label < 0 ? flags.task.class_name : prompts[k];
    const auto stem = numbered_stem(k, prompts.size(), slug(subject, request.label));
    PromptJob job{.prompt = prompts[k], .names = {}};
    fields.prompt = prompts[k];
    for (int64_t i = 0; i < (flags.grid ? 1 : request.count); ++i) {
      fields.seed = request.seed + static_cast<uint64_t>(i);
      job.names.push_back(names.next(fields, stem));
      ++fields.n;
    }
    refuse_existing(job.names, flags.force);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// Draws the jobs of one run and writes what is finished at once.
class GenerateRun {
 public:
  GenerateRun(const GenerateFlags& flags, const Generator& generator, const Recipe& recipe,
              PreviewFile* preview, const Context& context)
      : flags_(flags), generator_(generator), recipe_(recipe), preview_(preview), context_(context) {}

  // Whether all its pictures were finished.
  bool draw(const PromptJob& job) {
    auto request = flags_.request;
    request.prompt = job.prompt;
    finished_s_ = now_s();
    DrawHooks hooks{.progress = context_.progress(), .log = context_.log(), .stop = context_.stop};
    if (!flags_.grid) {
      hooks.finished = [&](int64_t first, std::span<const GeneratedImage> images) {
        const double each = seconds_since_last() / static_cast<double>(images.size());
        for (size_t k = 0; k < images.size(); ++k)
          write(job, static_cast<size_t>(first) + k, images[k].image, images[k], each);
      };
    }
    if (preview_ != nullptr) preview_->listen(hooks);
    const auto images = generator_.generate(request, hooks);
    context_.terminal->end_bar();
    if (flags_.grid && !images.empty()) {
      std::vector<Image> tiles;
      for (const auto& image : images) tiles.push_back(image.image);
      write(job, 0, make_grid(tiles), images[0], seconds_since_last());
    }
    return images.size() == static_cast<size_t>(request.count);
  }

  const nlohmann::ordered_json& written() const { return written_; }

 private:
  static double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  double seconds_since_last() {
    const double last = finished_s_;
    finished_s_ = now_s();
    return finished_s_ - last;
  }

  // A grid's recipe is that of its first picture.
  void write(const PromptJob& job, size_t k, const Image& picture, const GeneratedImage& of, double seconds) {
    const auto recipe = picture_recipe(recipe_, job.prompt, of);
    write_picture(job.names[k], picture, flags_.no_recipe ? PngText{} : recipe_text(recipe), flags_.quality);
    written_.push_back({{"file", job.names[k].string()},
                        {"seed", of.seed},
                        {"prompt", job.prompt},
                        {"width", picture.width},
                        {"height", picture.height},
                        {"seconds", seconds}});
  }

  const GenerateFlags& flags_;
  const Generator& generator_;
  const Recipe& recipe_;
  PreviewFile* preview_;  // Null: none.
  const Context& context_;
  double finished_s_ = 0;
  nlohmann::ordered_json written_ = nlohmann::ordered_json::array();
};

NameFields name_fields(const GenerateFlags& flags, const fs::path& model) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  NameFields fields{.label = flags.request.label,
                    .sampler = find_sampler(flags.request.sampler).name,
                    .steps = flags.request.sampling.steps,
                    .guidance = flags.request.guidance.scale,
                    .model = model.stem().string()};
  localtime_r(&now, &fields.began);
  return fields;
}

void read_flags(GenerateFlags& flags) {
  auto& request = flags.request;
  request.seed = read_seed(flags.seed);
  request.noise = parse_noise_kind(flags.noise);
  read_sampling_flags(flags.sampling, request);
  read_task_flags(flags.task, request);
  read_size(flags.size, request);
  request.tile = read_tile(flags.tile);
  check(flags.quality >= 1 && flags.quality <= 100, "--quality: expected 1..100, got ", flags.quality);
}

void print_result(const GenerateFlags& flags, const nlohmann::ordered_json& written, const Recipe& recipe,
                  const fs::path& model, const std::string& sha256, double seconds) {
  if (!flags.json) {
    for (const auto& entry : written)
      std::cout << entry["file"].get<std::string>() << "  seed " << entry["seed"] << '\n';
    return;
  }
  std::cout << nlohmann::ordered_json{{"images", written},
                                      {"prompt", flags.request.prompt},
                                      {"negative", flags.request.negative_prompt},
                                      {"sampler", recipe.sampler},
                                      {"steps", flags.request.sampling.steps},
                                      {"guidance", flags.request.guidance.scale},
                                      {"model", model.string()},
                                      {"sha256", sha256},
                                      {"seconds", seconds}}
                   .dump()
            << '\n';
}

// Refuses another model than --from's picture was drawn with, unless it was asked for by name.
void compare_models(const Recipe& recipe, const std::string& picture, const fs::path& model,
                    const std::string& sha256, bool asked_for, const LogFn& log) {
  auto difference = other_model(recipe, sha256);
  if (difference.empty()) return;
  difference = picture + ": " + difference + " (" + model.string() + ")";
  check(asked_for, ErrorKind::kData, difference, "; hint: -m names the model, or another one to take");
  log_warning(log, difference + "; the picture will be another one");
}

// Where the condition cannot be left out there is nothing to compare with.
void settle_guidance(const CLI::App& verb, const LatentDiffusion& model, GuidanceOptions& guidance) {
  if (can_be_guided(model)) return;
  const bool asked = verb.count("--guidance") > 0 && guidance.scale != 1.0;
  check(!asked, "--guidance: this model always needs its condition, so it cannot be guided; expected 1, got ",
        guidance.scale);
  guidance.scale = 1.0;
}

int generate(CLI::App& verb, GenerateFlags& flags, const Context& context) {
  if (flags.samplers) {
    std::cout << sampler_table();
    return 0;
  }
  const bool own_model = verb.count("--model") > 0;
  Recipe repeated;
  if (!flags.from.empty()) {
    repeated = read_recipe(flags.from);
    repeat_recipe(verb, repeated, flags.from, context.log());
  }
  read_flags(flags);
  const auto model_file = model_path(flags.model, context);
  const auto sha256 = model_sha256(model_file);
  compare_models(repeated, flags.from, model_file, sha256, own_model, context.log());
  OutputNames names(flags.out, !flags.prompts_file.empty());
  check_preview(flags.preview, flags.force);
  auto fields = name_fields(flags, model_file);
  std::vector<PromptJob> jobs;
  if (!names.needs_size()) jobs = plan_jobs(flags, names, fields);

  const auto model = open_draw_model(flags.model, context);
  flags.request.controls = read_controls(flags.control, *model);
  flags.request.steer = read_steering(flags.steer, *model);
  flags.request.memory = memory_budget(flags.memory, context);
  settle_guidance(verb, *model, flags.request.guidance);
  bind_task_flags(flags.task, *model, flags.request);
  if (names.needs_size()) {
    const auto canvas = plan_canvas(*model, flags.request);
    fields.width = canvas.width;
    fields.height = canvas.height;
    jobs = plan_jobs(flags, names, fields);
  }
  const auto recipe = run_recipe(flags.request, verb, model_file, sha256);
  const auto began = std::chrono::steady_clock::now();
  const Generator generator(model);
  const auto preview = open_preview(flags.preview, *model);
  GenerateRun run(flags, generator, recipe, preview.get(), context);
  bool finished = true;
  for (size_t k = 0; k < jobs.size() && finished; ++k) finished = run.draw(jobs[k]);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  check(!run.written().empty(), ErrorKind::kData, "generate: stopped before the first picture was finished");
  if (!finished) log_warning(context.log(), "stopped; these pictures were finished:");
  print_result(flags, run.written(), recipe, model_file, sha256, took.count());
  return finished ? 0 : 1;
}

void add_what_to_draw(CLI::App* verb, GenerateFlags& flags) {
  auto& request = flags.request;
  verb->add_option("prompt", request.prompt,
                   "what to draw, with weights such as (red:1.3); nothing: whatever the model likes");
  begin_section(verb, "What to draw");
  add_option(verb, "--negative", request.negative_prompt, "what not to draw");
  add_file_option(verb, "--prompts-file", flags.prompts_file,
                  "a text file of prompts, one a line, drawn one after the other");
  add_file_option(verb, "--from", flags.from,
                  "draw a picture of this program or of the web UIs again; other options change it");
  add_model_options(verb, flags.model);
  add_control_options(verb, flags.control);
  add_option(verb, "--clip-skip", request.clip_skip,
             "models with CLIP: 1 reads its last layer, 2 the last but one; 0: as the model was trained");
  add_option(verb, "-n,--count", request.count, "how many; picture k has seed + k");
  add_option(verb, "--seed", flags.seed, "a whole number, or random");
  add_option(verb, "--noise", flags.noise,
             "noise stream: cpu (as PyTorch on the CPU) or philox (as on CUDA)");
  verb->add_flag("--grid", flags.grid, "all pictures in one file");
}

void add_output(CLI::App* verb, GenerateFlags& flags) {
  begin_section(verb, kOutputSection);
  verb->add_option(
      "-o,--out", flags.out,
      "file (.png, .webp, .jpg), folder (ends in /), or {prompt}-{seed}-{n:03}.png (docs/tasks.md)");
  verb->add_flag("--force", flags.force, "write over files that are there");
  add_option(verb, "--quality", flags.quality, "of .jpg and .webp, 1 to 100");
  verb->add_flag("--no-recipe", flags.no_recipe, "leave out of the PNG how it was drawn");
  add_preview_options(verb, flags.preview);
  verb->add_flag("--json", flags.json, "print the result as JSON");
}

}  // namespace

void add_generate(CLI::App& app, Context& context) {
  auto* verb = add_verb(
      app, context, "generate", "draws pictures",
      {{"ldm generate \"a slice of pizza\"", "one picture with the shipped model"},
       {"ldm generate \"pink car\" -n 16 --grid --seed 7 -o cars.png", "sixteen in one file, repeatable"},
       {"ldm generate \"red heart\" --sampler dpmpp_2m --steps 15", "another sampler, fewer steps"},
       {"ldm generate --from cars.png --seed 8 -o more.png", "as that picture was drawn, with another seed"},
       {"ldm generate \"frog\" -m runs/diffusion/model.safetensors", "a model of your own"}});
  auto flags = std::make_shared<GenerateFlags>();
  add_what_to_draw(verb, *flags);
  add_task_options(verb, flags->task);
  add_sampling_options(verb, flags->request, flags->sampling);
  add_steer_options(verb, flags->steer);
  begin_section(verb, "Size and memory");
  add_option(verb, "--size", flags->size, "WIDTHxHEIGHT in pixels; without it the model's own size");
  add_option(verb, "--batch", flags->request.batch_size, "most pictures drawn at once");
  add_memory_option(verb, flags->memory);
  add_tile_option(verb, flags->tile);
  add_output(verb, *flags);
  add_compute_options(verb, context);
  verb->add_flag("--samplers", flags->samplers, "list the samplers and spacings, and end");
  set_run(verb, context, [verb, flags, &context] { return generate(*verb, *flags, context); });
}

}  // namespace ldm::cli
