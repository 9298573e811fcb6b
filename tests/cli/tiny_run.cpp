#include "tests/cli/tiny_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "ldm/image/png.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kTrainSection[] = R"(
train:
  steps: 6
  warm_up_steps: 2
  threads: 1
  device: cpu
  log_every: 1
  validate_every: 3
  sample_every: 6
  checkpoint_every: 3
  ema: {decay: 0.9}
)";

// {target}, {extra} and {loss} differ between KL and VQ.
std::string autoencoder_yaml(const std::string& pictures, bool vq) {
  return "model:\n  base_learning_rate: 1.0e-3\n  target: " +
         std::string(vq ? "vq_model" : "autoencoder_kl") +
         R"(
  params:
    embed_dim: 4
)" + (vq ? "    n_embed: 32\n    codebook_restart: 2\n" : "") +
         R"(    ddconfig: {double_z: )" + (vq ? "false" : "true") +
         R"(, z_channels: 4, resolution: 32, ch: 32, ch_mult: [1], num_res_blocks: 1, attn_type: none, dropout: 0.1, patch_size: 8, linear_shortcut: true}
    lossconfig:
      target: )" +
         (vq ? "vq_loss" : "kl_loss") + R"(
      params: {disc_start: 2, disc_num_layers: 1, disc_ndf: 8, perceptual_weight: 0.0, disc_weight: 0.1}
    perceptual: ""
    latent_noise: 0.1
data:
  path: )" +
         pictures +
         R"(
  size: 32
  batch_size: 4
  flip: true
  held_out: 0.25
)" + kTrainSection;
}

std::string diffusion_yaml(const std::string& pictures, const std::string& first_stage, bool classes) {
  return R"(model:
  base_learning_rate: 1.0e-3
  target: latent_diffusion
  params:
    timesteps: 100
    image_size: 4
    channels: 4
    scale_by_std: true
    conditioning_key: crossattn
    cond_stage_trainable: true
    unet_config:
      target: unet
      params: {image_size: 4, in_channels: 4, out_channels: 4, model_channels: 32, attention_resolutions: [1], num_res_blocks: 1, channel_mult: [1, 2], num_head_channels: 16, dropout: 0.1, use_spatial_transformer: true, context_dim: 32}
    first_stage_config:
      target: first_stage_file
      params: {path: )" +
         first_stage + R"(}
    cond_stage_config:
)" +
         (classes
              ? "      target: class_embedder\n      params: {embed_dim: 32, n_classes: 3, null_class: 2}\n"
              : "      target: text_transformer\n      params: {n_embed: 32, n_layer: 1, vocab_size: 200, "
                "max_seq_len: 8, heads: 2, dim_head: 16, with_logits: false}\n") +
         "data:\n  path: " + pictures + "\n  size: 32\n  batch_size: 4\n  held_out: 0.25\n" + kTrainSection;
}

// A disc or a bar of one colour on white.
Image draw_shape(int64_t k, const std::array<uint8_t, 3>& colour) {
  auto image = make_image(32, 32, 3, 255);
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t x = 0; x < 32; ++x) {
      const auto dx = x - 10 - k % 8, dy = y - 16;
      const bool inside = k % 2 == 0 ? dx * dx + dy * dy < 80 + k : std::abs(dx) < 4;
      for (size_t c = 0; inside && c < 3; ++c)
        image.pixels[static_cast<size_t>((y * 32 + x) * 3) + c] = colour[c];
    }
  }
  return image;
}

void make_pictures(const TinyRun& run) {
  const std::array<std::pair<const char*, std::array<uint8_t, 3>>, 3> colours{
      {{"red", {220, 30, 30}}, {"green", {30, 180, 60}}, {"blue", {40, 60, 220}}}};
  fs::create_directories(run.pictures);
  for (int64_t k = 0; k < 24; ++k) {
    const auto& [name, colour] = colours[static_cast<size_t>(k % 3)];
    const auto image = draw_shape(k, colour);
    const std::string shape = k % 2 == 0 ? "disc" : "bar";
    const auto stem = fs::path(run.pictures) / (std::to_string(k) + "-" + name);
    write_png(stem.string() + ".png", image);
    write_whole(stem.string() + ".txt", std::string(name) + " " + shape);
    fs::create_directories(fs::path(run.classes) / shape);
    write_png(fs::path(run.classes) / shape / (std::to_string(k) + ".png"), image);
  }
}

void must(const std::vector<std::string>& arguments) {
  const auto outcome = run_program(arguments);
  if (outcome.code != 0)
    throw std::runtime_error("tiny run: ldm " + arguments[0] + " failed: " + outcome.err);
}

void make(TinyRun& run) {
  run.pictures = run.folder / "pictures";
  run.classes = run.folder / "classes";
  run.autoencoder_run = run.folder / "autoencoder";
  run.diffusion_run = run.folder / "diffusion";
  run.first_stage = run.autoencoder_run + "/model.safetensors";
  run.model = run.diffusion_run + "/model.safetensors";
  run.autoencoder_yaml = run.folder / "autoencoder.yaml";
  run.vq_yaml = run.folder / "vq.yaml";
  run.diffusion_yaml = run.folder / "diffusion.yaml";
  run.class_yaml = run.folder / "class.yaml";
  make_pictures(run);
  write_whole(run.autoencoder_yaml, autoencoder_yaml(run.pictures, false));
  write_whole(run.vq_yaml, autoencoder_yaml(run.pictures, true));
  write_whole(run.diffusion_yaml, diffusion_yaml(run.pictures, run.first_stage, false));
  write_whole(run.class_yaml, diffusion_yaml(run.classes, run.first_stage, true));
  must({"train", run.autoencoder_yaml, "-o", run.autoencoder_run});
  must({"train", run.diffusion_yaml, "-o", run.diffusion_run});
}

std::vector<char*> argument_pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

const TinyRun& tiny() {
  static TinyRun run;
  static const bool made = (make(run), true);
  static_cast<void>(made);
  return run;
}

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, const Scratch& folder) {
  std::vector<std::string> words = {std::string(std::getenv("LDM_BUILD_DIR")) + "/bin/ldm"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto argv = argument_pointers(words);
  const auto out = folder / "out", err = folder / "err";
  child_ = fork();
  if (child_ != 0) return;
  dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
  dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

RunningProgram::~RunningProgram() {
  if (child_ <= 0) return;
  kill(child_, SIGKILL);
  wait();
}

void RunningProgram::interrupt() const { kill(child_, SIGINT); }

bool RunningProgram::wait_for_handler() const {
  for (int tries = 0; tries < 60000; ++tries) {
    const auto status = read_whole("/proc/" + std::to_string(child_) + "/status");
    const auto caught = status.find("SigCgt:");
    if (caught != std::string::npos &&
        (std::stoull(status.substr(caught + 7), nullptr, 16) >> (SIGINT - 1) & 1))
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

int RunningProgram::wait() {
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool wait_for_lines(const fs::path& file, int lines) {
  for (int tries = 0; tries < 1200; ++tries) {
    const auto text = read_whole(file);
    if (std::count(text.begin(), text.end(), '\n') >= lines) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const auto begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

void expect_refusal(const Outcome& outcome, int code, const std::string& part) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const auto line = last_line(outcome.err);
  EXPECT_EQ(line.rfind("ldm: ", 0), 0u) << outcome.err;
  EXPECT_NE(line.find(part), std::string::npos) << outcome.err;
}

}  // namespace ldm::cli
