#include "ldm/nn/recompute.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>
#include <utility>

namespace ldm {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What besides the tensors decides the result: mixed precision, and the random numbers of dropout.
struct Surroundings {
  at::DeviceType device;
  bool autocast;
  at::ScalarType autocast_type;
  torch::Tensor generator_state;

  static Surroundings now(at::Device device) {
    auto generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return {.device = device.type(),
            .autocast = at::autocast::is_autocast_enabled(device.type()),
            .autocast_type = at::autocast::get_autocast_dtype(device.type()),
            .generator_state = generator.get_state()};
  }
  void restore(at::Device place) const {
    at::autocast::set_autocast_enabled(device, autocast);
    at::autocast::set_autocast_dtype(device, autocast_type);
    auto generator = at::globalContext().defaultGenerator(place);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(generator_state);
  }
};

// Those of another time, for as long as it lives.
class SurroundingsScope {
 public:
  SurroundingsScope(const Surroundings& then, at::Device place)
      : place_(place), before_(Surroundings::now(place)) {
    then.restore(place);
    at::autocast::increment_nesting();
  }
  ~SurroundingsScope() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    before_.restore(place_);
  }
  SurroundingsScope(const SurroundingsScope&) = delete;
  SurroundingsScope& operator=(const SurroundingsScope&) = delete;

 private:
  at::Device place_;
  Surroundings before_;
};

struct Recomputation : torch::CustomClassHolder {
  RecomputeFn run;
  size_t inputs = 0;  // So many of the saved tensors are inputs, the others parameters.
  Surroundings surroundings;

  Recomputation(RecomputeFn run_, size_t inputs_, Surroundings surroundings_)
      : run(std::move(run_)), inputs(inputs_), surroundings(std::move(surroundings_)) {}
};

// Inputs and parameters are its arguments, so that autograd asks it for the gradients of both.
class RecomputeFunction : public torch::autograd::Function<RecomputeFunction> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, const RecomputeFn& run, int64_t inputs,
                               at::TensorList tensors) {
    const auto count = static_cast<size_t>(inputs);
    ctx->saved_data["recomputation"] = c10::IValue::make_capsule(
        c10::make_intrusive<Recomputation>(run, count, Surroundings::now(tensors.front().device())));
    ctx->save_for_backward(tensors.vec());
    return run(tensors.slice(0, count).vec());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto capsule = ctx->saved_data["recomputation"].toCapsule();
    const auto& again = static_cast<const Recomputation&>(*capsule);
    auto tensors = ctx->get_saved_variables();
    const SurroundingsScope scope(again.surroundings, tensors.front().device());
    const at::AutoGradMode record(true);
    for (size_t i = 0; i < again.inputs; ++i) {
      tensors[i] = tensors[i].detach().requires_grad_(tensors[i].requires_grad());
    }
    const auto out =
        again.run({tensors.begin(), tensors.begin() + static_cast<std::ptrdiff_t>(again.inputs)});
    variable_list wanted;
    for (const auto& tensor : tensors) {
      if (tensor.requires_grad()) wanted.push_back(tensor);
    }
    auto found = torch::autograd::grad({out}, wanted, gradients, /*retain_graph=*/false,
                                       /*create_graph=*/false, /*allow_unused=*/true);
    variable_list all{{}, {}};  // `run` and the count have none.
    auto next = found.begin();
    for (const auto& tensor : tensors) all.push_back(tensor.requires_grad() ? *next++ : torch::Tensor());
    return all;
  }
};

}  // namespace

torch::Tensor recomputed(const torch::nn::Module& module, const RecomputeFn& run,
                         const std::vector<torch::Tensor>& inputs) {
  if (!at::GradMode::is_enabled()) return run(inputs);
  auto tensors = inputs;
  for (const auto& parameter : module.parameters()) tensors.push_back(parameter);
  return RecomputeFunction::apply(run, static_cast<int64_t>(inputs.size()), at::TensorList(tensors));
}

}  // namespace ldm
