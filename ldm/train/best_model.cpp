#include "ldm/train/best_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

constexpr std::string_view kPsnr = "psnr";

}  // namespace

std::string monitored_figure(const std::string& monitor, const std::vector<std::string>& known) {
  if (monitor.empty()) return {};
  auto name = monitor;
  if (const auto slash = name.rfind('/'); slash != std::string::npos) name = name.substr(slash + 1);
  if (name.ends_with("_ema")) name.resize(name.size() - 4);  // Figures are those of the averages.
  if (name == "loss_simple") name = "loss";
  check(std::find(known.begin(), known.end(), name) != known.end(), "model.params.monitor: expected one of ",
        join_names(known), ", got '", monitor, "'", nearest_hint(name, known));
  return name;
}

BestModel::BestModel(std::filesystem::path run, std::string figure, bool resume)
    : run_(std::move(run)), figure_(std::move(figure)) {
  const auto path = run_ / "best.json";
  if (figure_.empty() || !resume || !std::filesystem::exists(path)) return;
  const auto text = read_text(path);
  const auto best = parse_json(std::as_bytes(std::span(text)), path.string());
  check(best.is_object() && best.contains("figure") && best.contains("value") && best["value"].is_number(),
        ErrorKind::kFormat, path.string(), ": expected figure and value");
  if (best["figure"] == figure_) best_ = (figure_ == kPsnr ? -1.0 : 1.0) * best["value"].get<double>();
}

bool BestModel::look_at(const Scalars& figures, int64_t step, const TrainTask& task) {
  const auto found = figures.find(figure_);
  if (figure_.empty() || found == figures.end()) return false;
  const double value = figure_ == kPsnr ? -found->second : found->second;
  if (!(value < best_)) return false;
  best_ = value;
  task.export_model(run_ / "best.safetensors");
  write_file_atomic(run_ / "best.json",
                    to_json(Json{{"figure", figure_}, {"value", found->second}, {"step", step}}, 2) + "\n");
  return true;
}

}  // namespace ldm
