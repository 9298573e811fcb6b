#include "ldm/nn/unet.h"

#include <ATen/ATen.h>

#include <string>

#include "ldm/core/error.h"
#include "ldm/nn/timestep_embedding.h"

namespace ldm {

UNet::UNet(const UNetOptions& o)
    : options_(o),
      plan_(plan_unet(o)),
      time_in_(add(*this, "time_embed.0", linear(o.model_channels, embedding_width(o)))),
      time_out_(add(*this, "time_embed.2", linear(embedding_width(o), embedding_width(o)))) {
  if (o.num_classes)
    label_ = LabelEmbedding(*this, *o.num_classes, o.adm_in_channels.value_or(0), embedding_width(o));
  const auto stage = [&](const std::string& name, const UNetStageSpec& spec) {
    return add(*this, name, std::make_shared<UNetStage>(spec));
  };
  for (size_t i = 0; i < plan_.input.size(); ++i) {
    input_.push_back(stage("input_blocks." + std::to_string(i), plan_.input[i]));
  }
  middle_ = stage("middle_block", plan_.middle);
  for (size_t i = 0; i < plan_.output.size(); ++i) {
    output_.push_back(stage("output_blocks." + std::to_string(i), plan_.output[i]));
  }
  const int64_t width = o.channel_mult.front() * o.model_channels;
  norm_out_ = add(*this, "out.0", group_norm(width));
  conv_out_ = add(*this, "out.2", zeroed(conv3x3(width, o.out_channels)));
  if (o.n_embed) {
    logits_norm_ = add(*this, "id_predictor.0", group_norm(width));
    logits_conv_ = add(*this, "id_predictor.1", conv1x1(width, *o.n_embed));
  }
}

torch::Tensor UNet::forward(const torch::Tensor& x, const torch::Tensor& t, const Context& context,
                            const torch::Tensor& y) const {
  check_inputs(x, t, context, y);
  const auto emb = embed(t, y);
  const auto condition = context.to(emb.scalar_type());

  // Encoder.
  auto h = x.to(emb.scalar_type());
  std::vector<torch::Tensor> skips;
  for (const auto& stage : input_) {
    h = stage->forward(h, emb, condition);
    skips.push_back(h);
  }
  h = middle_->forward(h, emb, condition);

  // Decoder.
  for (const auto& stage : output_) {
    h = stage->forward(at::cat({h, skips.back()}, /*dim=*/1), emb, condition);
    skips.pop_back();
  }
  h = logits_conv_ ? logits_conv_(logits_norm_(h)) : conv_out_(at::silu(norm_out_(h)));
  return h.to(x.scalar_type());
}

// Time embedding, plus the label's: [N, E] in the weights' dtype.
torch::Tensor UNet::embed(const torch::Tensor& t, const torch::Tensor& y) const {
  const auto sines = timestep_embedding(t, options_.model_channels).to(time_in_->weight.scalar_type());
  const auto emb = time_out_(at::silu(time_in_(sines)));
  return label_ ? emb + label_(y) : emb;
}

void UNet::check_inputs(const torch::Tensor& x, const torch::Tensor& t, const Context& context,
                        const torch::Tensor& y) const {
  const auto& o = options_;
  check(x.dim() == 4 && x.size(1) == o.in_channels, "unet: expected x of shape [N, ", o.in_channels,
        ", H, W], got ", x.sizes());
  check(x.size(2) % plan_.size_multiple == 0 && x.size(3) % plan_.size_multiple == 0,
        "unet: expected a height and width that ", plan_.size_multiple, " divides, got ", x.sizes());
  check(t.dim() == 1 && t.size(0) == x.size(0), "unet: expected times of shape [", x.size(0), "], got ",
        t.sizes());
  check(context.defined() == o.context_dim.has_value(), "unet: ",
        o.context_dim ? "expected a context, got none" : "got a context, but the network has no context_dim");
  if (context.defined()) {
    const auto& tokens = context.tokens();
    check(tokens.dim() == 3 && tokens.size(0) == x.size(0) && tokens.size(2) == *o.context_dim,
          "unet: expected a context of shape [", x.size(0), ", S, ", *o.context_dim, "], got ",
          tokens.sizes());
  }
  check(y.defined() == o.num_classes.has_value(), "unet: ",
        o.num_classes ? "expected a label, got none" : "got a label, but the network has no num_classes");
}

}  // namespace ldm
