#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ldm::golden {

using Json = nlohmann::json;
using Tensors = std::map<std::string, torch::Tensor>;

// Thrown by Case::skip.
struct Skip {
  std::string value;
};

// One comparison.
struct Comparison {
  std::string output;
  double error = 0.0;
  double tolerance = 0.0;
  bool ok() const { return error <= tolerance; }  // A NaN is not ok.
};

// One case folder: what it asks, and how the answers compare.
class Case {
 public:
  // `places` are where things that a case only refers to are looked up, in order.
  Case(std::filesystem::path folder, std::vector<std::filesystem::path> places, torch::Device device);

  const std::string& name() const { return name_; }
  const std::string& kind() const { return kind_; }
  const Json& json() const { return json_; }                     // The whole case.json.
  const Json& config() const { return json_["config"]; }         // Original parameter names.
  bool math_format() const { return json_.contains("format"); }  // golden/math; otherwise golden/models.
  torch::Device device() const { return device_; }
  // From here on modules are prepared for inference when they are loaded, and gradients are not compared.
  void use_inference_kernels() { inference_ = true; }
  // A published model in its real size: weights are taken once, no gradients.
  bool full_size() const { return json_.value("full_size", false) || json_.contains("generated_weights"); }

  // Tensors of io.safetensors. input() is on the device, keeps its dtype and requires grad where a grad.* is
  // stored.
  bool has(const std::string& tensor) const { return io_.count(tensor) != 0; }
  torch::Tensor input(const std::string& tensor);
  // What is stored, on the CPU and untouched; for shapes, and for tensors that are neither input nor output.
  torch::Tensor stored(const std::string& tensor) const;

  // A file or folder of the case ("weights.safetensors"), or one that it refers to ("vocab/x.txt", "g_sd1").
  std::filesystem::path file(const std::string& relative) const;
  // Whether the case itself has such a file.
  bool has_file(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  // Fills a module with the case's weights that start with `prefix`: every parameter and buffer must be there
  // (constants excepted, see the READMEs), with its shape; at the end of the case every weight must have been
  // used. Several modules may share a case. Moves it to the device and sets the case's train or eval mode.
  void load_weights(torch::nn::Module& module, const std::string& prefix = "");
  // The weights of a case as they are, for whoever reads them in another way (counts as having used all of
  // them).
  Tensors weights();

  // Says what came out. Compared with the stored tensor of that name by the rules of the READMEs; an explicit
  // tolerance is for outputs whose bound stands elsewhere in the case.
  void expect(const std::string& output, const torch::Tensor& got);
  void expect_within(const std::string& output, const torch::Tensor& got, double tolerance);
  // For answers that are not tensors: text, refusals.
  void expect_true(const std::string& output, bool ok);
  // Outputs that this program does not give, with a reason in the source.
  void unsupported(const std::string& output);
  // The case asks for something (a sampler, a class) that the program does not know yet. Printed
  // SKIP(kind:value).
  [[noreturn]] void skip(const std::string& value) const;
  // From here on the float32 tolerances count: call it where the implementation computes in float32.
  void computes_in_float32() { float32_ = true; }

  // Called by the runner after the kind's function: gradients, leftovers.
  void finish();

  const std::vector<Comparison>& comparisons() const { return comparisons_; }
  const std::vector<std::string>& unsupported_outputs() const { return unsupported_; }

 private:
  double tolerance(const std::string& output) const;
  void read_weights();
  void strip_generated_prefix();
  void check_gradients();

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> places_;
  torch::Device device_;
  Json json_;
  std::string name_, kind_;
  Tensors io_, inputs_, outputs_, weights_, parameters_;
  std::set<std::string> used_weights_, done_;
  std::vector<Comparison> comparisons_;
  std::vector<std::string> unsupported_;
  bool float32_ = false, weights_read_ = false, inference_ = false;
};

// max |got - want| / max |want|, and the READMEs' special cases: another shape is infinitely wrong, a NaN
// stays one, uint8 is relative to 255, and where `want` is all zero the error is absolute (math) or relative
// to 1e-30 (models).
double relative_error(const torch::Tensor& got, const torch::Tensor& want, bool math_format);

}  // namespace ldm::golden
