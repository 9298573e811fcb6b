#include "ldm/nn/unet_trunk.h"

#include <ATen/ATen.h>

#include <string>

#include "ldm/core/error.h"
#include "ldm/nn/timestep_embedding.h"

namespace ldm {

UNetTrunk::UNetTrunk(torch::nn::Module& parent, const UNetOptions& o, const UNetPlan& plan)
    : options_(o),
      time_in_(add(parent, "time_embed.0", linear(o.model_channels, embedding_width(o)))),
      time_out_(add(parent, "time_embed.2", linear(embedding_width(o), embedding_width(o)))) {
  if (o.num_classes)
    label_ = LabelEmbedding(parent, *o.num_classes, o.adm_in_channels.value_or(0), embedding_width(o));
  for (size_t i = 0; i < plan.input.size(); ++i) {
    input_.push_back(add(parent, "input_blocks." + std::to_string(i),
                         std::make_shared<UNetStage>(plan.input[i], o.use_checkpoint)));
  }
  middle_ = add(parent, "middle_block", std::make_shared<UNetStage>(plan.middle, o.use_checkpoint));
}

torch::Tensor UNetTrunk::embed(const torch::Tensor& t, const torch::Tensor& y) const {
  const auto sines = timestep_embedding(t, options_.model_channels).to(compute_type(time_in_->weight));
  const auto emb = time_out_(at::silu(time_in_(sines)));
  return label_ ? emb + label_(y) : emb;
}

TrunkFeatures UNetTrunk::forward(const torch::Tensor& x, const torch::Tensor& emb, const Context& context,
                                 const torch::Tensor& hint) const {
  TrunkFeatures out;
  auto h = x;
  for (const auto& stage : input_) {
    h = stage->forward(h, emb, context);
    if (hint.defined() && out.skips.empty()) h = h + hint;
    out.skips.push_back(h);
  }
  out.middle = middle_->forward(h, emb, context);
  return out;
}

void UNetTrunk::check_inputs(const torch::Tensor& x, const torch::Tensor& t, const Context& context,
                             const torch::Tensor& y) const {
  const auto& o = options_;
  check(x.dim() == 4 && x.size(1) == o.in_channels, "unet: expected x of shape [N, ", o.in_channels,
        ", H, W], got ", x.sizes());
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
