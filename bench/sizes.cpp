// bench_sizes MODEL PIXELS [--memory M] [--tile S] [--threads T] [--compare] [--weights f32|bf16] [--batch N]
// Memory and time of one decode (kl-f8, vq-f4), one encode (kl-f8-encode, vq-f4-encode) or one UNet step
// (sd15, at latents of an eighth of PIXELS) of a published shape with random weights. --memory bounds the
// first stage, as the program's option does; --tile lets the UNet see crops of S latents. --compare computes
// the same without the bound afterwards. Prints one row, which bench/sizes.sh puts into a table: model,
// pixels, bound, seconds (of the processor with one thread, otherwise of the clock), resident MiB of the
// weights, MiB above them at most, MiB above the weights and what the kernels keep of them; with --compare
// then the whole's seconds and MiB above the weights, and the mean and largest difference in 1/255 of the
// picture's range.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>

#include <climits>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "ldm/core/memory.h"
#include "ldm/model/tiles.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/unet.h"

namespace {

struct SizeArguments {
  std::string model;
  int64_t pixels = 0, memory = 0, tile = 0, threads = 1, batch = 1;
  bool compare = false;
  at::ScalarType weights = at::kFloat;
};

SizeArguments parse_sizes(int argc, char** argv) {
  if (argc < 3) throw std::runtime_error("expected a model (kl-f8, vq-f4, kl-f8-encode, sd15) and pixels");
  SizeArguments a{.model = argv[1], .pixels = std::stoll(argv[2])};
  const std::map<std::string, int64_t*> numbers{
      {"--tile", &a.tile}, {"--threads", &a.threads}, {"--batch", &a.batch}};
  for (int i = 3; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--compare") {
      a.compare = true;
    } else if (i + 1 < argc && flag == "--memory") {
      a.memory = ldm::parse_memory(argv[++i], flag);
    } else if (i + 1 < argc && flag == "--weights") {
      a.weights = std::string(argv[++i]) == "bf16" ? at::kBFloat16 : at::kFloat;
    } else if (i + 1 < argc && numbers.count(flag)) {
      *numbers.at(flag) = std::stoll(argv[++i]);
    } else {
      throw std::runtime_error("unknown option " + flag);
    }
  }
  return a;
}

// MiB of a line of /proc/self/status: VmRSS now, VmHWM at most since reset_peak().
double resident_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + key);
}
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// What is measured: within the bound (or in crops), and as a whole.
struct SizeWork {
  std::shared_ptr<torch::nn::Module> module;
  std::function<torch::Tensor(int64_t pixels, bool bounded)> run;
};

SizeWork first_stage_work(const SizeArguments& a) {
  std::shared_ptr<ldm::FirstStage> stage;
  if (a.model.starts_with("kl-f8")) {
    stage = std::make_shared<ldm::AutoencoderKL>(ldm::AutoencoderOptions{.ch_mult = {1, 2, 4, 4}}, 4);
  } else {
    stage = std::make_shared<ldm::VQModel>(
        ldm::AutoencoderOptions{.double_z = false, .z_channels = 3, .ch_mult = {1, 2, 4}},
        ldm::VectorQuantizerOptions{.n_e = 8192, .e_dim = 3});
  }
  const bool encode = a.model.ends_with("-encode");
  return {stage, [stage, a, encode](int64_t pixels, bool bounded) {
            at::manual_seed(2);
            const int64_t side = encode ? pixels : pixels / stage->downsampling();
            const auto x = at::randn({a.batch, encode ? 3 : stage->latent_channels(), side, side});
            const ldm::CodingLimits limits{.memory = bounded ? a.memory : 0};
            return encode ? stage->encode_within(x, limits) : stage->decode_within(x, limits);
          }};
}

SizeWork unet_work(const SizeArguments& a) {
  const auto unet = std::make_shared<ldm::UNet>(ldm::UNetOptions{.in_channels = 4,
                                                                 .model_channels = 320,
                                                                 .out_channels = 4,
                                                                 .num_res_blocks = {2},
                                                                 .attention_resolutions = {4, 2, 1},
                                                                 .channel_mult = {1, 2, 4, 4},
                                                                 .num_heads = 8,
                                                                 .context_dim = 768});
  at::manual_seed(2);
  const auto context = ldm::Context::remembering(at::randn({a.batch, 77, 768}));
  return {unet, [unet, a, context](int64_t pixels, bool bounded) {
            at::manual_seed(3);
            const auto x = at::randn({a.batch, 4, pixels / 8, pixels / 8});
            const auto t = at::full({a.batch}, 500.0);
            if (!bounded || a.tile == 0) return unet->forward(x, t, context);
            const int64_t stride = a.tile - a.tile / 4;
            return ldm::run_tiled(
                x, {a.tile, a.tile, stride, stride}, {},
                [&](const torch::Tensor& crop, const ldm::Tile&) { return unet->forward(crop, t, context); });
          }};
}

struct Measured {
  torch::Tensor result;
  double seconds = 0, peak_mib = 0;
};

// Of the processor with one thread, which other programs disturb less; of the clock with several.
double now_s(int64_t threads) {
  timespec t{};
  clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Measured measure(const SizeWork& work, const SizeArguments& a, bool bounded) {
  reset_peak();
  const double begin = now_s(a.threads);
  Measured m{.result = work.run(a.pixels, bounded)};
  m.seconds = now_s(a.threads) - begin;
  m.peak_mib = resident_mib("VmHWM");
  return m;
}

void bench_size(const SizeArguments& a) {
  at::set_num_threads(static_cast<int>(a.threads));
  at::manual_seed(1);
  const auto work = a.model == "sd15" ? unet_work(a) : first_stage_work(a);
  work.module->to(a.weights);
  work.module->eval();
  ldm::prepare_for_inference(*work.module);
  malloc_trim(0);
  const c10::InferenceMode inference;
  const double weights = resident_mib("VmRSS");
  work.run(a.model == "sd15" ? 256 : 128, false);  // The kernels pack the weights.
  const double packed = resident_mib("VmRSS");
  const auto bounded = measure(work, a, true);
  std::printf("%s %lld %s %.1f %.0f %.0f %.0f", a.model.c_str(), static_cast<long long>(a.pixels),
              a.tile > 0     ? ("tile-" + std::to_string(a.tile)).c_str()
              : a.memory > 0 ? std::to_string(a.memory >> 20).c_str()
                             : "none",
              bounded.seconds, weights, bounded.peak_mib - weights, bounded.peak_mib - packed);
  std::fflush(stdout);
  if (a.compare) {
    const auto whole = measure(work, a, false);
    const auto difference = (bounded.result - whole.result).abs();
    const double unit = (whole.result.max() - whole.result.min()).item<double>() / 255;
    std::printf(" %.1f %.0f %.2e %.2e", whole.seconds, whole.peak_mib - weights,
                difference.mean().item<double>() / unit, difference.max().item<double>() / unit);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  // As the program does (cli/start_torch.cpp): large blocks stay with the process.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
  try {
    bench_size(parse_sizes(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_sizes: %s\n", e.what());
    return 2;
  }
}
