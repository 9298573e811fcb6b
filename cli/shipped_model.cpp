#include "cli/shipped_model.h"

#include "cli/picture_kind.h"
#include "cli/start_torch.h"
#include "ldm/core/error.h"
#include "ldm/model/load_model.h"

namespace ldm::cli {

namespace fs = std::filesystem;

fs::path find_model(const std::string& given, const char* shipped, const Context& context) {
  const auto file = given.empty() ? context.environment.models / shipped : fs::path(given);
  std::error_code ignored;
  check(fs::exists(file, ignored), ErrorKind::kData, file.string(), ": no such model; hint: ",
        given.empty() ? "$LDM_MODELS names the folder of the shipped models, " : "",
        "-m names a model file, ldm train makes one");
  refuse_picture(file, "a model");
  return file;
}

std::string first_stage_name(const std::string& given, const Context& context) {
  const bool pair = given.find(',') != given.npos;
  return pair ? given : find_model(given, "emoji-first-stage.safetensors", context).string();
}

std::shared_ptr<FirstStage> open_first_stage(const std::string& given, const Context& context) {
  auto stage = load_first_stage(first_stage_name(given, context));
  stage->to(pick_device(context));
  return stage;
}

}  // namespace ldm::cli
