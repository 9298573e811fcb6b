// Targets, loss weights, preconditioning.
#include <ATen/ATen.h>

#include "ldm/diffusion/loss_weight.h"
#include "ldm/diffusion/training.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

void run_train_targets(Case& c) {
  const auto schedule = case_schedule(c);
  const auto x0 = c.input("x0"), noise = c.input("noise"), pred = c.input("pred");
  const auto t = vector_i64(c.config().at("t")).to(c.device());
  c.expect("x_t", q_sample(schedule, x0, t, noise));
  c.expect("v_target", training_target(schedule, Prediction::kV, x0, t, noise));
  const auto s = t.to(at::kDouble) / static_cast<double>(schedule.timesteps());
  c.expect("flow_x_t", flow_sample(x0, s, noise));
  c.expect("flow_target", flow_target(x0, noise));
  const auto logvar = c.input("logvar").index_select(0, t), lvlb = c.input("lvlb_weights").index_select(0, t);
  for (const std::string type : {"l1", "l2"}) {
    const auto losses = per_sample_loss(parse_loss_type(type), pred, noise);
    c.expect("loss_simple_" + type, losses);
    c.expect("loss_" + type, original_loss(losses, logvar, lvlb, c.config().at("l_simple_weight"),
                                           c.config().at("original_elbo_weight")));
  }
  for (const std::string output : c.json().at("outputs")) {
    if (output.rfind("huber_", 0) == 0) {
      c.expect(output, per_sample_loss(LossType::kHuber, pred, noise, std::stod(output.substr(6))).mean());
    } else if (output.rfind("offset_noise_", 0) == 0) {
      c.expect(output, offset_noise(noise, c.input("offset"), std::stod(output.substr(13))));
    }
  }
}

void run_loss_weights(Case& c) {
  const auto schedule = case_schedule(c);
  const auto at = vector_i64(c.config().at("t"));
  const auto pick = [&](const std::vector<double>& table) { return vector_f64(table).index_select(0, at); };
  c.expect("snr", pick(signal_to_noise(schedule)));
  LossWeightOptions o;
  o.kind = "min_snr";
  for (const auto& gamma : c.config().at("gammas")) {
    o.gamma = gamma;
    for (const auto p : {Prediction::kEps, Prediction::kX0, Prediction::kV}) {
      const auto name = "minsnr_" + std::string(prediction_name(p)) + "." + gamma.dump();
      c.expect(name, pick(loss_weights(schedule, p, o)));
    }
  }
  for (const std::string output : c.json().at("outputs")) {
    if (output.rfind("p2.", 0) == 0) {  // p2.<k>.<gamma>, both with one dot
      o.kind = "p2";
      const auto second = output.find('.', output.find('.', 3) + 1);
      o.p2_k = std::stod(output.substr(3, second - 3));
      o.p2_gamma = std::stod(output.substr(second + 1));
      c.expect(output, pick(loss_weights(schedule, Prediction::kEps, o)));
    } else if (output.rfind("sigmoid_eps_b", 0) == 0) {
      o.kind = "sigmoid";
      o.sigmoid_bias = std::stod(output.substr(13));
      c.expect(output, pick(loss_weights(schedule, Prediction::kEps, o)));
    } else if (output == "truncated_snr_x0") {
      o.kind = "truncated_snr";
      c.expect(output, pick(loss_weights(schedule, Prediction::kX0, o)));
    }
  }
}

void run_edm_precond(Case& c) {
  const auto s = edm_scaling(c.input("sigma"), c.config().at("sigma_data"));
  c.expect("c_skip", s.c_skip);
  c.expect("c_out", s.c_out);
  c.expect("c_in", s.c_in);
  c.expect("c_noise", s.c_noise);
  c.expect("weight", s.weight);
  c.expect("sampled_sigma",
           edm_training_sigma(c.input("normal"), c.config().at("P_mean"), c.config().at("P_std")));
}

void add_training_kinds(KindTable& kinds) {
  kinds.add("train_targets", run_train_targets);
  kinds.add("loss_weights", run_loss_weights);
  kinds.add("edm_precond", run_edm_precond);
}
const RegisterKinds kDiffusionTrainingRegistered(add_training_kinds);

}  // namespace
}  // namespace ldm::golden
