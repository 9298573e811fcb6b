#include "tests/golden/runner.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"
#include "tests/golden/pending.h"
#include "tests/golden/summary.h"

namespace ldm::golden {
namespace {

namespace fs = std::filesystem;

struct Totals {
  int passed = 0, failed = 0, skipped = 0, unsupported = 0, not_pending = 0;
  Summary summary;
};

// Full-size models leave their weights unset until they are loaded, keep nothing for gradients, and use all
// threads; for the small ones threads that wait for each other cost more than they give.
class FullSizeScope {
 public:
  FullSizeScope(bool full_size, bool inference, int threads)
      : init_(full_size ? Init::kNone : Init::kRandom),
        grad_(!full_size && !inference),
        full_size_(full_size) {
    if (full_size_) at::set_num_threads(threads);
  }
  ~FullSizeScope() {
    if (full_size_) at::set_num_threads(1);
  }
  FullSizeScope(const FullSizeScope&) = delete;
  FullSizeScope& operator=(const FullSizeScope&) = delete;

 private:
  InitScope init_;
  at::AutoGradMode grad_;
  bool full_size_;
};

// Folders with a case.json, by path; what lies inside one is that case's own.
void collect(const fs::path& folder, std::vector<fs::path>& out) {
  if (fs::exists(folder / "case.json")) {
    out.push_back(folder);
    return;
  }
  std::vector<fs::path> children;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) children.push_back(entry.path());
  }
  std::sort(children.begin(), children.end());
  for (const auto& child : children) collect(child, out);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// Full-size cases whose weights a script must generate first.
bool lacks_generated_weights(const Case& c, const fs::path& folder) {
  return c.json().contains("generated_weights") && !fs::exists(folder / "weights.safetensors");
}

void report_skip(const Case& c, const std::string& value, PendingList& pending, Totals& totals) {
  const auto entry = value.empty() ? c.kind() : c.kind() + ":" + one_line(value);
  const bool known = pending.excuses({entry, c.kind(), c.name()});
  std::printf("%s - - SKIP(%s)%s\n", c.name().c_str(), entry.c_str(), known ? "" : " not in pending.txt");
  ++totals.skipped;
  totals.not_pending += known ? 0 : 1;
  totals.summary.skipped(c.kind());
}

void report_failure(const Case& c, const std::string& message, Totals& totals) {
  std::printf("%s - - FAIL %s\n", c.name().c_str(), one_line(message).c_str());
  ++totals.failed;
  totals.summary.failed(c.kind());
}

// The line shows the comparison that is worst against its own tolerance.
void report_result(const Case& c, PendingList& pending, Totals& totals) {
  const auto ratio = [](const Comparison& x) {
    return x.ok() ? x.error / std::max(x.tolerance, 1e-300) : 1e300;
  };
  const auto& all = c.comparisons();
  const auto worst = std::max_element(all.begin(), all.end(),
                                      [&](const auto& a, const auto& b) { return ratio(a) < ratio(b); });
  for (const auto& output : c.unsupported_outputs()) {
    const auto group = output.substr(0, output.find('.'));
    const bool known = pending.excuses({c.kind() + "/" + output, c.kind() + "/" + group, c.kind(), c.name()});
    std::printf("%s/%s UNSUPPORTED%s\n", c.name().c_str(), output.c_str(),
                known ? "" : " not in pending.txt");
    ++totals.unsupported;
    totals.not_pending += known ? 0 : 1;
  }
  if (worst == all.end()) return report_failure(c, "nothing was compared", totals);
  const bool ok = worst->ok();
  std::printf("%s %.3g %.3g %s\n", c.name().c_str(), worst->error, worst->tolerance, ok ? "ok" : "FAIL");
  for (const auto& x : all) {
    if (!x.ok()) std::printf("    %s %.3g %.3g FAIL\n", x.output.c_str(), x.error, x.tolerance);
  }
  ++(ok ? totals.passed : totals.failed);
  if (!ok) return totals.summary.failed(c.kind());
  const auto largest = std::max_element(all.begin(), all.end(),
                                        [](const auto& a, const auto& b) { return a.error < b.error; });
  totals.summary.passed(c.kind(), largest->error, largest->tolerance);
}

// Cases whose outputs are gradients or trained weights.
bool trains(const Case& c) {
  return c.kind() == "ae_loss" || c.kind() == "ae_train" || c.kind() == "ldm_train" ||
         c.json().value("mode", "eval") == "train";
}

void run_case(const fs::path& folder, Case& c, const RunnerOptions& options, PendingList& pending,
              Totals& totals) {
  const auto* run_kind = kind_table().find(c.kind());
  if (run_kind == nullptr) return report_skip(c, "", pending, totals);
  if (lacks_generated_weights(c, folder)) {
    std::printf("%s SKIP\n", c.name().c_str());
    ++totals.skipped;
    totals.summary.skipped(c.kind());
    return;
  }
  const FullSizeScope scope(c.full_size(), options.inference, options.full_size_threads);
  try {
    (*run_kind)(c);
    c.finish();
  } catch (const Skip& skip) {
    return report_skip(c, skip.value, pending, totals);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kUsage) return report_skip(c, e.what(), pending, totals);
    return report_failure(c, e.what(), totals);
  } catch (const std::exception& e) {
    return report_failure(c, std::string(e.what()).substr(0, 600), totals);
  }
  report_result(c, pending, totals);
}

int check_stale(const PendingList& pending) {
  const auto stale = pending.stale();
  for (const auto& entry : stale) {
    std::printf("stale: '%s' stands in pending.txt but works now: remove it\n", entry.c_str());
  }
  return static_cast<int>(stale.size());
}

}  // namespace

void KindTable::add(std::string_view kind, KindFn run) {
  const bool added = kinds_.emplace(std::string(kind), std::move(run)).second;
  check(added, ErrorKind::kInternal, "KindTable: kind '", kind, "' was added twice");
}

const KindFn* KindTable::find(const std::string& kind) const {
  const auto it = kinds_.find(kind);
  return it == kinds_.end() ? nullptr : &it->second;
}

KindTable& kind_table() {
  static KindTable table;
  return table;
}

int run(const RunnerOptions& options) {
  PendingList pending(options.pending);
  std::vector<fs::path> folders;
  auto places = options.roots;
  places.insert(places.end(), options.data.begin(), options.data.end());
  for (const auto& root : options.roots) {
    check(fs::is_directory(root), ErrorKind::kData, "golden: no folder ", root.string());
    collect(root, folders);
  }
  Totals totals;
  for (const auto& folder : folders) {
    Case c(folder, places, torch::Device(options.device));
    if ((c.name() + " " + c.kind()).find(options.filter) == std::string::npos) continue;
    if (options.inference) {
      if (trains(c)) continue;
      c.use_inference_kernels();
    }
    if (options.list) {
      std::printf("%s %s\n", c.name().c_str(), c.kind().c_str());
      continue;
    }
    run_case(folder, c, options, pending, totals);
    std::fflush(stdout);
  }
  if (options.list) return 0;
  if (!options.markdown.empty()) std::ofstream(options.markdown) << totals.summary.markdown();
  const int stale = options.check_stale ? check_stale(pending) : 0;
  std::printf("%d passed, %d failed, %d skipped", totals.passed, totals.failed, totals.skipped);
  std::printf(" (%d outputs unsupported, %d skips or outputs not in pending.txt)\n", totals.unsupported,
              totals.not_pending);
  const bool nothing = totals.passed + totals.failed + totals.skipped == 0;
  if (nothing) std::printf("no case was found\n");
  return totals.failed + totals.not_pending + stale > 0 || nothing ? 1 : 0;
}

}  // namespace ldm::golden
