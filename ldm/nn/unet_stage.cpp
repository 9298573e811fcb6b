#include "ldm/nn/unet_stage.h"

#include <ATen/ATen.h>

#include <string>

#include "ldm/nn/recompute.h"

namespace ldm {
namespace {

template <typename... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <typename... Lambdas>
Overloaded(Lambdas...) -> Overloaded<Lambdas...>;

}  // namespace

UNetStage::UNetStage(const UNetStageSpec& spec, bool recompute) : recompute_(recompute) {
  for (size_t i = 0; i < spec.size(); ++i) {
    const auto name = std::to_string(i);
    const auto make = Overloaded{
        [&](const Conv2dOptions& o) -> Part { return add(*this, name, conv2d(o)); },
        [&](const ResBlockOptions& o) -> Part { return add(*this, name, std::make_shared<ResBlock>(o)); },
        [&](const AttentionBlockOptions& o) -> Part {
          return add(*this, name, std::make_shared<AttentionBlock>(o));
        },
        [&](const SpatialTransformerOptions& o) -> Part {
          return add(*this, name, std::make_shared<SpatialTransformer>(o));
        },
        [&](const DownsampleSpec& o) -> Part { return add(*this, name, std::make_shared<Downsample>(o)); },
        [&](const UpsampleSpec& o) -> Part { return add(*this, name, std::make_shared<Upsample>(o)); }};
    parts_.push_back(std::visit(make, spec[i]));
  }
}

torch::Tensor UNetStage::forward(const torch::Tensor& x, const torch::Tensor& emb,
                                 const Context& context) const {
  if (!recompute_ || !at::GradMode::is_enabled()) return run(x, emb, context);
  std::vector<torch::Tensor> inputs{x, emb};
  if (context.defined()) inputs.push_back(context.tokens());
  // The graph keeps the stage alive until the backward pass.
  const auto again = [self = std::static_pointer_cast<const UNetStage>(shared_from_this())](
                         const std::vector<torch::Tensor>& in) {
    return self->run(in[0], in[1], in.size() > 2 ? Context(in[2]) : Context());
  };
  return recomputed(*this, again, inputs);
}

torch::Tensor UNetStage::run(const torch::Tensor& x, const torch::Tensor& emb, const Context& context) const {
  auto h = x;
  const auto run_part = Overloaded{
      [&](const std::shared_ptr<ResBlock>& block) { return block->forward(h, emb); },
      [&](const std::shared_ptr<SpatialTransformer>& block) { return block->forward(h, context); },
      [&](const Conv2d& conv) { return conv(h); }, [&](const auto& block) { return block->forward(h); }};
  for (const auto& part : parts_) h = std::visit(run_part, part);
  return h;
}

}  // namespace ldm
