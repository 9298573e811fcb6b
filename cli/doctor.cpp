// `ldm doctor`: what the program found on this machine, and what is missing.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "cli/gpus.h"
#include "cli/start_torch.h"
#include "cli/verb.h"
#include "cli/version.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

// One finding. `hint` is empty where all is well.
struct Finding {
  std::string name, value, hint;
};

// Shared libraries of this process whose file name starts with one of `prefixes`: name and path.
std::vector<std::string> loaded_libraries(std::vector<std::string_view> prefixes) {
  struct Search {
    std::vector<std::string_view> prefixes;
    std::vector<std::string> found;
  } search{std::move(prefixes), {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& s = *static_cast<Search*>(data);
        const std::string_view path = info->dlpi_name;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        const auto starts = [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; };
        if (std::any_of(s.prefixes.begin(), s.prefixes.end(), starts)) s.found.emplace_back(path);
        return 0;
      },
      &search);
  return search.found;
}

std::string torch_folder() {
  const auto found = loaded_libraries({"libtorch_cpu.so"});
  return found.empty() ? "an unknown folder"
                       : fs::path(found.front()).parent_path().lexically_normal().string();
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

Finding find_cuda(const Context& context) {
  const auto& reason = context.environment.no_cuda;
  if (reason) return {"CUDA", "not used: " + *reason, ""};
  const auto names = gpu_names();
  if (names.empty()) return {"CUDA", "libtorch_cuda is open, but no device is there", ""};
  return {"CUDA", joined(names), ""};
}

Finding find_image_libraries() {
  std::vector<std::string> names;
  for (const auto& path : loaded_libraries({"libpng", "libjpeg", "libwebp", "libfreetype", "libharfbuzz"})) {
    names.push_back(fs::path(path).filename().string());
  }
  return {"libraries", names.empty() ? "none loaded" : joined(names), ""};
}

Finding find_file(const std::string& name, const std::vector<fs::path>& places, const std::string& package) {
  std::error_code ignored;
  for (const auto& place : places) {
    if (fs::is_regular_file(place, ignored)) return {name, place.string(), ""};
  }
  return {name, "missing: " + places.front().string(),
          "apt-get install " + package + " (for ldm data emoji)"};
}

Finding examine_models(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto tenths = entry.file_size(ignored) / 100'000;
    files.push_back(entry.path().filename().string() + " (" + std::to_string(tenths / 10) + "." +
                    std::to_string(tenths % 10) + " MB)");
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) return {"models", "none in " + folder.string(), "set LDM_MODELS, or give -m MODEL"};
  return {"models", joined(files) + " in " + folder.string(), ""};
}

std::vector<Finding> examine(const Context& context) {
  const std::string cores = std::to_string(std::thread::hardware_concurrency()) + " cores, ";
  return {
      {"ldm", std::string(kVersion) + " at " + context.environment.program.string(), ""},
      {"LibTorch",
       running_torch_version() + " in " + torch_folder() + " (built with " + kBuiltWithTorch + ")", ""},
      find_cuda(context),
      {"CPU", cpu_model() + ", " + cores + at::get_cpu_capability(), ""},
      {"device", "--device " + context.device + " is " + pick_device(context).str(), ""},
      {"threads", std::to_string(at::get_num_threads()), ""},
      find_image_libraries(),
      find_file("emoji font", {"/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"},
                "fonts-noto-color-emoji"),
      find_file("emoji names", {"/usr/share/unicode/emoji/emoji-test.txt"}, "unicode-data"),
      find_file("emoji keywords", {"/usr/share/unicode/cldr/common/annotations/en.xml"}, "unicode-cldr-core"),
      examine_models(context.environment.models),
  };
}

void print_table(const std::vector<Finding>& findings) {
  bool well = true;
  for (const auto& f : findings) {
    std::cout << f.name << std::string(16 - f.name.size(), ' ') << f.value << '\n';
    if (!f.hint.empty()) std::cout << std::string(16, ' ') << "hint: " << f.hint << '\n';
    well = well && f.hint.empty();
  }
  std::cout << (well ? "All that ldm needs is here.\n" : "Something is missing; see the hints.\n");
}

void print_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json out;
  for (const auto& f : findings) {
    std::string key = f.name;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return c == ' ' ? '_' : std::tolower(c); });
    out[key] = {{"value", f.value}, {"ok", f.hint.empty()}};
    if (!f.hint.empty()) out[key]["hint"] = f.hint;
  }
  std::cout << out.dump(2) << '\n';
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "doctor", "says what it found on this machine, and what is missing",
                        {{"ldm doctor", "LibTorch, devices, threads, libraries, data packages, models"},
                         {"ldm doctor --json", "the same for a machine"}});
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "print JSON");
  add_compute_options(verb, context);
  set_run(verb, context, [json, &context] {
    const auto findings = examine(context);
    *json ? print_json(findings) : print_table(findings);
    return 0;
  });
}

}  // namespace ldm::cli
