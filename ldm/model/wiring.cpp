#include "ldm/model/wiring.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

constexpr std::pair<std::string_view, Wiring> kWirings[] = {
    {"none", {}},
    {"concat", {.concat = true}},
    {"crossattn", {.context = true}},
    {"hybrid", {.concat = true, .context = true}},
    {"adm", {.y = true}},
    {"crossattn-adm", {.context = true, .y = true}},
    {"hybrid-adm", {.concat = true, .context = true, .y = true}},
};

void check_part(bool wanted, const torch::Tensor& part, const char* name) {
  check(part.defined() == wanted, "conditioning_key: ",
        wanted ? "the network is wired for a condition that the conditioner does not give: "
               : "the conditioner gives a condition that the network is not wired for: ",
        name);
}

}  // namespace

Wiring parse_wiring(std::string_view key) {
  std::vector<std::string> known;
  for (const auto& [name, wiring] : kWirings) {
    if (name == key || (key.empty() && name == "none")) return wiring;
    known.emplace_back(name);
  }
  fail(ErrorKind::kUsage, "model.params.conditioning_key: unknown name '", key, "'",
       nearest_hint(key, known));
}

void check_wired(const Wiring& wiring, const Conditioning& condition) {
  check_part(wiring.concat, condition.concat, "concat (a map)");
  check_part(wiring.context, condition.context, "crossattn (tokens)");
  check_part(wiring.y, condition.y, "adm (a vector or class)");
}

torch::Tensor network_input(const torch::Tensor& x, const Conditioning& condition) {
  if (!condition.concat.defined()) return x;
  return at::cat({x, condition.concat.to(x.scalar_type())}, /*dim=*/1);
}

}  // namespace ldm
