#include <ATen/ATen.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "ldm/nn/autoencoder.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/first_stage_blocks.h"
#include "ldm/nn/lpips.h"
#include "ldm/nn/patchgan.h"
#include "ldm/nn/state_dict.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

AutoencoderOptions ddconfig(const Json& config) { return read_json_options<AutoencoderOptions>(config); }

void run_fs_resnet_block(Case& c) {
  const auto& config = c.config();
  ResnetBlock block({.in_channels = config.at("in_channels"),
                     .out_channels = config.at("out_channels"),
                     .conv_shortcut = config.at("conv_shortcut"),
                     .dropout = config.at("dropout"),
                     .temb_channels = config.at("temb_channels")});
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x"), c.has("temb") ? c.input("temb") : torch::Tensor()));
}

template <typename Block>
void run_attention(Case& c) {
  Block block(c.config().at("in_channels").get<int64_t>());
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x")));
}

template <typename Block>
void run_first_stage_resample(Case& c) {
  Block block(c.config().at("in_channels").get<int64_t>(), c.config().at("with_conv").get<bool>());
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x")));
}

void run_fs_encoder(Case& c) {
  Encoder encoder(ddconfig(c.config()));
  c.load_weights(encoder);
  c.expect("y", encoder.forward(c.input("x")));
}

void run_fs_decoder(Case& c) {
  Decoder decoder(ddconfig(c.config()));
  c.load_weights(decoder);
  c.expect("y", decoder.forward(c.input("z")));
}

void run_autoencoder_kl(Case& c) {
  AutoencoderKL model(ddconfig(c.config().at("ddconfig")), c.config().at("embed_dim"));
  c.load_weights(model);
  const auto moments = model.encode_moments(c.input("x"));
  const auto posterior = DiagonalGaussian::from_moments(moments);
  c.expect("moments", moments);
  c.expect("mean", posterior.mean);
  c.expect("logvar", posterior.logvar);
  c.expect("std", posterior.stddev());
  c.expect("mode", posterior.mode());
  c.expect("sample", posterior.sample(c.input("eps")));
  c.expect("kl", posterior.kl());
  c.expect("dec", model.decode(c.input("z")));
  c.expect("rec", model.decode(posterior.mode()));
}

VectorQuantizerOptions quantizer_options(Case& c, int64_t codes, int64_t channels) {
  if (c.config().contains("remap") && !c.config().at("remap").is_null()) c.skip("remap");
  return {.n_e = codes, .e_dim = channels, .sane_index_shape = c.config().value("sane_index_shape", false)};
}

std::shared_ptr<VQModel> load_vq(Case& c) {
  const auto quantizer = quantizer_options(c, c.config().at("n_embed"), c.config().at("embed_dim"));
  const auto model = std::make_shared<VQModel>(ddconfig(c.config().at("ddconfig")), quantizer);
  c.load_weights(*model);
  return model;
}

void run_vq_model_interface(Case& c) {
  const auto model = load_vq(c);
  const auto h = c.input("h");
  const auto quantized = model->quantize(h);
  c.expect("enc", model->encode(c.input("x")));
  c.expect("zq", quantized.latents);
  c.expect("emb_loss", quantized.loss);
  c.expect("indices", quantized.indices);
  c.expect("dec", model->decode(h));
  c.expect("dec_noquant", model->decode_quantized(h));
}

void run_vq_model(Case& c) {
  const auto model = load_vq(c);
  const auto prequant = model->encode(c.input("x"));
  const auto quantized = model->quantize(prequant);
  c.expect("prequant", prequant);
  c.expect("quant", quantized.latents);
  c.expect("emb_loss", quantized.loss);
  c.expect("indices", quantized.indices);
  c.expect("rec", model->decode_quantized(quantized.latents));
}

void run_vector_quantizer(Case& c) {
  auto options = quantizer_options(c, c.config().at("n_e"), c.config().at("e_dim"));
  options.beta = c.config().at("beta");
  options.legacy = c.config().at("legacy");
  VectorQuantizer quantizer(options);
  c.load_weights(quantizer);
  const auto z = c.input("z");
  const auto quantized = quantizer.forward(z);
  c.expect("zq", quantized.latents);
  c.expect("loss", quantized.loss);
  c.expect("indices", quantized.indices);
  const auto codes = c.has("codes") ? c.input("codes") : quantized.indices;
  c.expect("entry", quantizer.codebook_entry(codes, z.size(0), z.size(2), z.size(3)));
}

void run_identity_first_stage(Case& c) {
  IdentityFirstStage stage;
  c.load_weights(stage);
  const auto x = c.input("x");
  c.expect("enc", stage.encode(x));
  c.expect("dec", stage.decode(x));
  c.expect("quantized", x);
}

void run_patchgan(Case& c) {
  const auto& config = c.config();
  PatchDiscriminator discriminator({.input_nc = config.at("input_nc"),
                                    .ndf = config.at("ndf"),
                                    .n_layers = config.at("n_layers"),
                                    .use_actnorm = config.at("use_actnorm")});
  c.load_weights(discriminator);
  c.expect("logits", discriminator.forward(c.input("x")));
  const auto after = [&](const auto& tensors) {
    for (const auto& item : tensors) {
      const auto name = "after." + item.key();
      if (c.has(name)) c.expect(name, item.value());
    }
  };
  after(discriminator.named_parameters());
  after(discriminator.named_buffers());
}

// golden/models: taming-transformers' class.
void run_lpips_model(Case& c) {
  Lpips lpips({.use_dropout = c.config().at("use_dropout")});
  c.load_weights(lpips);
  const auto x = c.input("x");
  c.expect("d", lpips.forward(x, c.input("y")));
  std::vector<torch::Tensor> means;
  for (const auto& tap : lpips.taps(x)) means.push_back(tap.mean());
  c.expect("tap_means", at::stack(means));
}

// golden/math: the lpips package. Its `lin` weights are 0.1 |n|, where the generator gives n gain / sqrt(C).
StateDict lpips_weights(Case& c) {
  const double gain = c.config().at("weights").value("gain", 1.0);
  StateDict weights;
  for (auto& [key, value] : c.weights()) {
    if (key.rfind("net.", 0) == 0) weights[key] = value;
    if (key.rfind("lin", 0) == 0 && key.rfind("lins", 0) != 0) {
      weights[key] = value.abs() * (0.1 * std::sqrt(static_cast<double>(value.size(1))) / gain);
    }
  }
  return weights;
}

void run_lpips_package(Case& c) {
  const std::string net = c.config().at("net");
  if (net != "vgg" && net != "alex") c.skip(net);
  Lpips lpips({.net = net == "vgg" ? LpipsNet::kVgg : LpipsNet::kAlex});
  const auto report = load_state_dict(lpips, lpips_weights(c));
  c.expect_true("weights",
                report.unexpected.empty() && report.mis_shaped.empty() && report.missing.size() == 2);
  lpips.to(c.device());
  lpips.eval();
  c.computes_in_float32();
  const auto a = c.input("a_u8").to(at::kFloat) / 127.5 - 1, b = c.input("b_u8").to(at::kFloat) / 127.5 - 1;
  const auto layers = lpips.layers(a, b);
  c.expect("lpips", lpips.forward(a, b).reshape(c.stored("lpips").sizes()));
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto name = "layer." + std::to_string(i);
    c.expect(name, layers[i].reshape(c.stored(name).sizes()));
  }
  c.expect("lpips_same", lpips.forward(a, a).reshape(c.stored("lpips_same").sizes()));
}

void run_lpips(Case& c) { c.math_format() ? run_lpips_package(c) : run_lpips_model(c); }

void add_first_stage_kinds(KindTable& kinds) {
  kinds.add("fs_resnet_block", run_fs_resnet_block);
  kinds.add("fs_attn_block", run_attention<AttnBlock>);
  kinds.add("fs_lin_attn_block", run_attention<LinAttnBlock>);
  kinds.add("fs_downsample", run_first_stage_resample<FirstStageDownsample>);
  kinds.add("fs_upsample", run_first_stage_resample<FirstStageUpsample>);
  kinds.add("fs_encoder", run_fs_encoder);
  kinds.add("fs_decoder", run_fs_decoder);
  kinds.add("autoencoder_kl", run_autoencoder_kl);
  kinds.add("vq_model_interface", run_vq_model_interface);
  kinds.add("vq_model", run_vq_model);
  kinds.add("vector_quantizer", run_vector_quantizer);
  kinds.add("identity_first_stage", run_identity_first_stage);
  kinds.add("patchgan", run_patchgan);
  kinds.add("lpips", run_lpips);
}
const RegisterKinds kFirstStageRegistered(add_first_stage_kinds);

}  // namespace
}  // namespace ldm::golden
