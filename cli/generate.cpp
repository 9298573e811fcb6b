// `ldm generate`: words to pictures.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/control_flag.h"
#include "cli/draw_model.h"
#include "cli/generate_run.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/output_files.h"
#include "cli/preview_flag.h"
#include "cli/print_json.h"
#include "cli/prompts_file.h"
#include "cli/recipe_options.h"
#include "cli/request_recipe.h"
#include "cli/sampling_flags.h"
#include "cli/steer_flag.h"
#include "cli/task_flags.h"
#include "cli/user_text.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/edit_mask.h"
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

std::vector<PromptJob> plan_jobs(const GenerateFlags& flags, OutputNames& names, NameFields fields,
                                 OutputFiles& files) {
  const auto& request = flags.request;
  const bool several = !flags.prompts_file.empty();
  check(!several || request.prompt.empty(), "generate: expected one prompt or --prompts-file, got both");
  const auto prompts = several ? read_prompts_file(flags.prompts_file) : std::vector{request.prompt};
  const auto each = static_cast<size_t>(request.count);
  check(prompts.size() <= kMostImages / each, "generate: expected 1..", kMostImages,
        " images in one run, got ", prompts.size(), " prompts with ", each, " each");
  std::vector<PromptJob> jobs;
  for (size_t k = 0; k < prompts.size(); ++k) {
    const auto& subject = prompts[k].empty() && request.label < 0 ? flags.task.class_name : prompts[k];
    const auto stem = numbered_stem(k, prompts.size(), slug(subject, request.label));
    PromptJob job{.prompt = prompts[k], .names = {}};
    fields.prompt = prompts[k];
    for (int64_t i = 0; i < (flags.grid ? 1 : request.count); ++i) {
      fields.seed = request.seed + static_cast<uint64_t>(i);
      job.names.push_back(names.next(fields, stem));
      files.plan(job.names.back(), "--out");
      ++fields.n;
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

void read_flags(const CLI::App& verb, GenerateFlags& flags) {
  auto& request = flags.request;
  check(request.count >= 1 && request.count <= kMostImages, "--count: expected 1..", kMostImages,
        " images, got ", request.count);
  check_text(request.prompt, "the prompt");
  check_text(request.negative_prompt, "--negative");
  if (!flags.no_recipe) {
    for (const auto& [option, value] : typed_options(verb)) check_text(value, "--" + option);
  }
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
  print_json({{"images", written},
              {"prompt", flags.request.prompt},
              {"negative", flags.request.negative_prompt},
              {"sampler", recipe.sampler},
              {"steps", flags.request.sampling.steps},
              {"guidance", flags.request.guidance.scale},
              {"model", model.string()},
              {"sha256", sha256},
              {"seconds", seconds}});
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

// Where the condition cannot be left out there is nothing to compare with. `asked`: the command line names a
// guidance; a recipe's does not count, it may be another model's.
void settle_guidance(bool asked, const LatentDiffusion& model, GuidanceOptions& guidance) {
  if (can_be_guided(model)) return;
  check(!asked || guidance.scale == 1.0,
        "--guidance: this model always needs its condition, so it cannot be guided; expected 1, got ",
        guidance.scale);
  guidance.scale = 1.0;
}

// Pixels that a mask keeps do not survive every format.
void warn_of_lossy_names(const GenerateFlags& flags, const std::vector<PromptJob>& jobs, const LogFn& log) {
  const auto& edit = flags.request.edit;
  const bool keeps = !edit.mask.empty() || !flags.task.outpaint.empty() ||
                     (!edit.picture.empty() && !transparency_mask(edit.picture).empty());
  const auto& name = jobs.front().names.front();
  if (!keeps || !is_lossy(name, flags.quality)) return;
  log_warning(log, name.string() +
                       ": this format changes pixels that the mask keeps; .png keeps them, and "
                       ".webp with --quality 100");
}

// All that is settled before the model is opened.
struct GeneratePlan {
  fs::path model;
  std::string sha256;
  bool own_guidance = false;  // Typed, not repeated.
};

GeneratePlan read_command(CLI::App& verb, GenerateFlags& flags, const Context& context) {
  const bool own_model = verb.count("--model") > 0;
  GeneratePlan plan{.model = {}, .sha256 = {}, .own_guidance = verb.count("--guidance") > 0};
  Recipe repeated;
  if (!flags.from.empty()) {
    repeated = read_recipe(flags.from, context.log());
    repeat_recipe(verb, repeated, flags.from, context.log());
  }
  read_flags(verb, flags);
  plan.model = model_path(flags.model, context);
  plan.sha256 = model_sha256(plan.model);
  compare_models(repeated, flags.from, plan.model, plan.sha256, own_model, context.log());
  return plan;
}

// Draws, and lists what was finished however that ends.
int draw(const GenerateFlags& flags, GenerateRun& run, const std::vector<PromptJob>& jobs,
         const Recipe& recipe, const GeneratePlan& plan, const Context& context) {
  const auto began = std::chrono::steady_clock::now();
  const auto list = [&] {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    print_result(flags, run.written(), recipe, plan.model, plan.sha256, took.count());
  };
  bool finished = false;
  try {
    finished = run.draw(jobs);
  } catch (...) {
    if (!run.written().empty()) {
      log_warning(context.log(), "an error ended the run; these pictures were finished:");
      list();
    }
    throw;
  }
  check(!run.written().empty(), ErrorKind::kData, "generate: stopped before the first picture was finished");
  if (!finished) log_warning(context.log(), "stopped; these pictures were finished:");
  list();
  return finished ? 0 : 1;
}

int generate(CLI::App& verb, GenerateFlags& flags, const Context& context) {
  if (flags.samplers) {
    std::cout << sampler_table();
    return 0;
  }
  const auto plan = read_command(verb, flags, context);
  OutputNames names(flags.out, !flags.prompts_file.empty());
  OutputFiles files(flags.force);
  plan_preview(flags.preview, files);
  auto fields = request_fields(flags.request, plan.model);
  std::vector<PromptJob> jobs;
  if (!names.needs_size()) jobs = plan_jobs(flags, names, fields, files);

  const auto model = open_draw_model(flags.model, context);
  flags.request.controls = read_controls(flags.control, *model);
  flags.request.steer = read_steering(flags.steer, *model);
  flags.request.memory = memory_budget(flags.memory, context);
  settle_guidance(plan.own_guidance, *model, flags.request.guidance);
  bind_task_flags(flags.task, *model, flags.request);
  if (names.needs_size()) {
    const auto canvas = plan_canvas(*model, flags.request);
    fields.width = canvas.width;
    fields.height = canvas.height;
    jobs = plan_jobs(flags, names, fields, files);
  }
  warn_of_lossy_names(flags, jobs, context.log());
  const auto recipe = run_recipe(flags.request, verb, plan.model, plan.sha256);
  const Generator generator(model);
  const auto preview = open_preview(flags.preview, *model, files, context.log());
  GenerateRun run(flags.request, {.grid = flags.grid, .recipe = !flags.no_recipe, .quality = flags.quality},
                  generator, recipe, files, preview.get(), context);
  return draw(flags, run, jobs, recipe, plan, context);
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
