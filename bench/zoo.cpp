// bench_zoo MODEL [--size S] [--batch N] [--threads T] [--runs R] [--plain] [--weights f32|bf16|f16]
// One UNet step or one decode of a published shape with weights of no meaning. S: height and width of the
// latents. Prints "parameters SECONDS SECONDS ..." (one number a run, after two that are not counted; with
// one thread the processor's time, with more the clock's) and, on standard error, the largest resident
// memory. bench/zoo_eager.py is the same in PyTorch; bench/compare_zoo.sh pairs them.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>
#include <sys/resource.h>

#include <climits>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/unet.h"

namespace {

struct Arguments {
  std::string model;
  int64_t size = 32, batch = 1, threads = 1, runs = 5;
  bool plain = false;  // Without prepare_for_inference.
  at::ScalarType weights = at::kFloat;
};

Arguments parse(int argc, char** argv) {
  if (argc < 2) throw std::runtime_error("expected a model: sd15, celeba, cin256-v2, kl-f8 or vq-f4");
  Arguments a{.model = argv[1]};
  const std::map<std::string, int64_t*> numbers{
      {"--size", &a.size}, {"--batch", &a.batch}, {"--threads", &a.threads}, {"--runs", &a.runs}};
  const std::map<std::string, at::ScalarType> types{
      {"f32", at::kFloat}, {"bf16", at::kBFloat16}, {"f16", at::kHalf}};
  for (int i = 2; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--plain") {
      a.plain = true;
    } else if (i + 1 < argc && numbers.count(flag)) {
      *numbers.at(flag) = std::stoll(argv[++i]);
    } else if (i + 1 < argc && flag == "--weights") {
      a.weights = types.at(argv[++i]);
    } else {
      throw std::runtime_error("unknown option " + flag);
    }
  }
  return a;
}

// The clock does not depend on the weights' values, as long as none is denormal and no result overflows;
// filling them takes less time than drawing them.
void fill_weights(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (auto& p : module.parameters()) p.fill_(p.dim() > 1 ? 1.0 / static_cast<double>(p[0].numel()) : 0.1);
}

ldm::UNetOptions unet_options(const std::string& model) {
  if (model == "sd15") {
    return {.in_channels = 4,
            .model_channels = 320,
            .out_channels = 4,
            .num_res_blocks = {2},
            .attention_resolutions = {4, 2, 1},
            .channel_mult = {1, 2, 4, 4},
            .num_heads = 8,
            .context_dim = 768};
  }
  if (model == "celeba") {
    return {.in_channels = 3,
            .model_channels = 224,
            .out_channels = 3,
            .num_res_blocks = {2},
            .attention_resolutions = {8, 4, 2},
            .channel_mult = {1, 2, 3, 4},
            .num_head_channels = 32};
  }
  return {.in_channels = 3,
          .model_channels = 192,
          .out_channels = 3,
          .num_res_blocks = {2},
          .attention_resolutions = {8, 4, 2},
          .channel_mult = {1, 2, 3, 5},
          .num_heads = 1,
          .context_dim = 512};
}

// What one run computes, and the module whose parameters it uses.
using Work = std::pair<std::shared_ptr<torch::nn::Module>, std::function<torch::Tensor()>>;

Work unet_work(const Arguments& a) {
  const auto options = unet_options(a.model);
  const auto unet = std::make_shared<ldm::UNet>(options);
  const auto x = at::randn({a.batch, options.in_channels, a.size, a.size});
  const auto t = at::full({a.batch}, 500.0);
  // Keys and values are made once per picture, as when sampling.
  const auto context =
      options.context_dim
          ? ldm::Context::remembering(at::randn({a.batch, a.model == "sd15" ? 77 : 1, *options.context_dim}))
          : ldm::Context();
  return {unet, [unet, x, t, context] { return unet->forward(x, t, context); }};
}

Work decoder_work(const Arguments& a) {
  const auto decode = [&](auto stage, int64_t channels) -> Work {
    const auto z = at::randn({a.batch, channels, a.size, a.size});
    return {stage, [stage, z] { return stage->decode(z); }};
  };
  if (a.model == "kl-f8")
    return decode(std::make_shared<ldm::AutoencoderKL>(ldm::AutoencoderOptions{.ch_mult = {1, 2, 4, 4}}, 4),
                  4);
  return decode(std::make_shared<ldm::VQModel>(
                    ldm::AutoencoderOptions{.double_z = false, .z_channels = 3, .ch_mult = {1, 2, 4}},
                    ldm::VectorQuantizerOptions{.n_e = 8192, .e_dim = 3}),
                3);
}

// Seconds. One thread: of the processor, which other programs disturb less; several: of the clock.
double now(int64_t threads) {
  timespec t{};
  clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void bench(const Arguments& a) {
  at::set_num_threads(static_cast<int>(a.threads));
  at::manual_seed(1);
  const auto unet = a.model == "sd15" || a.model == "celeba" || a.model == "cin256-v2";
  if (!unet && a.model != "kl-f8" && a.model != "vq-f4") throw std::runtime_error("unknown model " + a.model);
  const ldm::InitScope scope(ldm::Init::kNone);
  const auto [module, work] = unet ? unet_work(a) : decoder_work(a);
  fill_weights(*module);
  module->to(a.weights);
  module->eval();
  if (!a.plain) ldm::prepare_for_inference(*module);
  int64_t parameters = 0;
  for (const auto& p : module->parameters()) parameters += p.numel();
  const c10::InferenceMode inference;
  std::printf("%lld", static_cast<long long>(parameters));
  for (int64_t run = -2; run < a.runs; ++run) {
    const double start = now(a.threads);
    work();
    if (run >= 0) std::printf(" %.4f", now(a.threads) - start);
    std::fflush(stdout);
  }
  std::printf("\n");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::fprintf(stderr, "largest resident memory: %ld MiB\n", usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  // As the program does (cli/start_torch.cpp): large blocks stay with the process.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
  try {
    bench(parse(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_zoo: %s\n", e.what());
    return 2;
  }
}
