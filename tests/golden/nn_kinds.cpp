#include <ATen/ATen.h>

#include <string>

#include "ldm/model/class_conditioner.h"
#include "ldm/nn/attention_block.h"
#include "ldm/nn/cross_attention.h"
#include "ldm/nn/res_block.h"
#include "ldm/nn/resample_layers.h"
#include "ldm/nn/spatial_transformer.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/nn/timestep_embedding.h"
#include "ldm/nn/transformer_block.h"
#include "ldm/nn/unet.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// A key of the config; `otherwise` where it is absent or null.
template <typename T>
T get(const Json& config, const char* key, T otherwise) {
  const auto found = config.find(key);
  return found == config.end() || found->is_null() ? otherwise : found->get<T>();
}

torch::Tensor optional_input(Case& c, const char* name) {
  return c.has(name) ? c.input(name) : torch::Tensor();
}

void check_dims(Case& c) {
  if (get<int64_t>(c.config(), "dims", 2) != 2) c.skip("dims");
}

void run_timestep_embedding(Case& c) {
  const auto& config = c.config();
  const int64_t dim = config.at("dim");
  c.load_weights(*std::make_shared<torch::nn::Module>());
  c.expect("y", get(config, "repeat_only", false)
                    ? repeated_timesteps(c.input("t"), dim)
                    : timestep_embedding(c.input("t"), dim, get(config, "max_period", 10000.0)));
}

void run_res_block(Case& c) {
  check_dims(c);
  const auto& config = c.config();
  const int64_t channels = config.at("channels");
  const Resample resample = config.at("up")     ? Resample::kUp
                            : config.at("down") ? Resample::kDown
                                                : Resample::kNone;
  ResBlock block({.in_channels = channels,
                  .out_channels = get(config, "out_channels", channels),
                  .emb_channels = config.at("emb_channels"),
                  .dropout = config.at("dropout"),
                  .use_scale_shift_norm = config.at("use_scale_shift_norm"),
                  .conv_skip = config.at("use_conv"),
                  .resample = resample});
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x"), c.input("emb")));
}

void run_attention_block(Case& c) {
  const auto& config = c.config();
  const int64_t channels = config.at("channels"), head_channels = config.at("num_head_channels");
  AttentionBlock block(
      {.channels = channels,
       .heads = head_channels == -1 ? config.at("num_heads").get<int64_t>() : channels / head_channels,
       .new_order = config.at("use_new_attention_order")});
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x")));
}

void run_cross_attention(Case& c) {
  const auto& config = c.config();
  CrossAttention attention({.query_dim = config.at("query_dim"),
                            .context_dim = get<int64_t>(config, "context_dim", 0),
                            .heads = config.at("heads"),
                            .dim_head = config.at("dim_head"),
                            .dropout = config.at("dropout")});
  c.load_weights(attention);
  c.expect("y", attention.forward(c.input("x"), optional_input(c, "context"), optional_input(c, "mask")));
}

void run_feed_forward(Case& c) {
  const auto& config = c.config();
  FeedForward feed_forward({.dim = config.at("dim"),
                            .dim_out = get<int64_t>(config, "dim_out", 0),
                            .mult = config.at("mult"),
                            .glu = config.at("glu"),
                            .dropout = config.at("dropout")});
  c.load_weights(feed_forward);
  c.expect("y", feed_forward.forward(c.input("x")));
}

void run_basic_transformer_block(Case& c) {
  const auto& config = c.config();
  BasicTransformerBlock block({.dim = config.at("dim"),
                               .heads = config.at("n_heads"),
                               .dim_head = config.at("d_head"),
                               .dropout = config.at("dropout"),
                               .context_dim = get<int64_t>(config, "context_dim", 0),
                               .gated_ff = config.at("gated_ff"),
                               .disable_self_attn = get(config, "disable_self_attn", false)});
  c.load_weights(block);
  c.expect("y", block.forward(c.input("x"), optional_input(c, "context")));
}

void run_spatial_transformer(Case& c) {
  const auto& config = c.config();
  SpatialTransformer transformer({.in_channels = config.at("in_channels"),
                                  .heads = config.at("n_heads"),
                                  .dim_head = config.at("d_head"),
                                  .depth = config.at("depth"),
                                  .dropout = config.at("dropout"),
                                  .context_dim = get<int64_t>(config, "context_dim", 0),
                                  .use_linear = get(config, "use_linear", false),
                                  .disable_self_attn = get(config, "disable_self_attn", false)});
  c.load_weights(transformer);
  c.expect("y", transformer.forward(c.input("x"), optional_input(c, "context")));
}

ResampleOptions resample_options(Case& c) {
  check_dims(c);
  const int64_t channels = c.config().at("channels");
  return {.in_channels = channels,
          .out_channels = get(c.config(), "out_channels", channels),
          .use_conv = c.config().at("use_conv"),
          .padding = get<int64_t>(c.config(), "padding", 1)};
}

template <typename Layer>
void run_resample(Case& c) {
  Layer layer(resample_options(c));
  c.load_weights(layer);
  c.expect("y", layer.forward(c.input("x")));
}

void run_unet(Case& c) {
  UNet unet(read_json_options<UNetOptions>(c.config()));
  c.load_weights(unet);
  c.expect("out", unet.forward(c.input("x"), c.input("timesteps"), optional_input(c, "context"),
                               optional_input(c, "y")));
}

void run_bert_embedder(Case& c) {
  TextTransformer transformer(read_json_options<TextTransformerOptions>(c.config()));
  c.load_weights(transformer, "transformer.");
  c.expect("y", transformer.forward(c.input("tokens")));
}

void run_transformer_wrapper(Case& c) {
  const auto& config = c.config();
  TextTransformer transformer({.n_embed = config.at("dim"),
                               .n_layer = config.at("depth"),
                               .vocab_size = config.at("num_tokens"),
                               .max_seq_len = config.at("max_seq_len")});
  c.load_weights(transformer);
  const auto embeddings = transformer.forward(c.input("tokens"));
  c.expect("embeddings", embeddings);
  c.expect("logits", transformer.logits(embeddings));
}

void run_class_embedder(Case& c) {
  ClassConditioner embedder(read_json_options<ClassConditionerOptions>(c.config()));
  c.load_weights(embedder);
  c.expect("y", embedder.embed(c.input("class")));
}

void add_nn_kinds(KindTable& kinds) {
  kinds.add("timestep_embedding", run_timestep_embedding);
  kinds.add("res_block", run_res_block);
  kinds.add("attention_block", run_attention_block);
  kinds.add("cross_attention", run_cross_attention);
  kinds.add("feed_forward", run_feed_forward);
  kinds.add("basic_transformer_block", run_basic_transformer_block);
  kinds.add("spatial_transformer", run_spatial_transformer);
  kinds.add("unet_downsample", run_resample<Downsample>);
  kinds.add("unet_upsample", run_resample<Upsample>);
  kinds.add("unet", run_unet);
  kinds.add("bert_embedder", run_bert_embedder);
  kinds.add("transformer_wrapper", run_transformer_wrapper);
  kinds.add("class_embedder", run_class_embedder);
}
const RegisterKinds kNnRegistered(add_nn_kinds);

}  // namespace
}  // namespace ldm::golden
