#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/core/noise.h"
#include "ldm/core/philox.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// The four random words of the first four elements, [4, 4].
torch::Tensor philox_words(uint64_t seed) {
  std::vector<int64_t> words;
  for (uint32_t i = 0; i < 4; ++i) {
    const PhiloxKey key{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    for (const uint32_t word : philox4x32({0, 0, i, 0}, key)) words.push_back(word);
  }
  return at::tensor(words, at::kLong).reshape({4, 4});
}

// Each seed's first two draws as web UIs make them, and the words underneath.
void run_rng_philox(Case& c) {
  const auto shape = c.config().at("shape").get<std::vector<int64_t>>();
  for (const Json& item : c.config().at("seeds")) {
    const auto seed = item.get<uint64_t>();
    const std::string name = std::to_string(seed);
    NoiseStream stream(NoiseKind::kPhilox, seed);
    for (int call = 0; c.has("randn." + name + ".call" + std::to_string(call)); ++call) {
      c.expect("randn." + name + ".call" + std::to_string(call), stream.randn(shape));
    }
    if (c.has("u32." + name)) c.expect("u32." + name, philox_words(seed));
  }
}

// The generator's other draws. The program uses none of them; they show that this LibTorch's generator is the
// one that the normal noise was recorded with.
void expect_other_draws(Case& c, const std::string& name, uint64_t seed) {
  const auto generator = [&] { return at::make_generator<at::CPUGeneratorImpl>(seed); };
  const auto shape = [&](const std::string& output) { return c.stored(output).sizes().vec(); };
  if (c.has("rand." + name))
    c.expect("rand." + name, at::rand(shape("rand." + name), generator(), at::kFloat));
  for (const auto& output : c.json().at("outputs").get<std::vector<std::string>>()) {
    if (!output.ends_with("." + name)) continue;
    // "randint1000.SEED" and "randperm17.SEED" carry their bound in the name.
    const auto bound = [&](size_t prefix) { return std::stoll(output.substr(prefix)); };
    if (output.starts_with("randint")) {
      c.expect(output, at::randint(bound(7), shape(output), generator(), at::kLong));
    } else if (output.starts_with("randperm")) {
      c.expect(output, at::randperm(bound(8), generator(), at::kLong));
    }
  }
}

// Draws of many sizes from a new stream each, a sequence of draws from one stream, doubles.
void run_rng_torch_cpu(Case& c) {
  for (const Json& item : c.config().at("seeds")) {
    const auto seed = item.get<uint64_t>();
    const std::string name = std::to_string(seed);
    const auto draw = [&](const std::string& output, at::ScalarType dtype) {
      if (!c.has(output)) return;
      c.expect(output, NoiseStream(NoiseKind::kCpu, seed).randn(c.stored(output).sizes(), dtype));
    };
    for (const Json& size : c.config().at("sizes")) draw("randn." + name + "." + size.dump(), at::kFloat);
    draw("latent." + name, at::kFloat);
    draw("randn_f64." + name, at::kDouble);
    std::vector<torch::Tensor> sequence;
    NoiseStream stream(NoiseKind::kCpu, seed);
    for (const Json& size : c.config().at("seq")) sequence.push_back(stream.randn({size.get<int64_t>()}));
    if (c.has("seq." + name)) c.expect("seq." + name, at::cat(sequence));
    expect_other_draws(c, name, seed);
  }
}

void add_noise_kinds(KindTable& kinds) {
  kinds.add("rng_philox", run_rng_philox);
  kinds.add("rng_torch_cpu", run_rng_torch_cpu);
}
const RegisterKinds kNoiseRegistered(add_noise_kinds);

}  // namespace
}  // namespace ldm::golden
