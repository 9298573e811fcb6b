#include "ldm/train/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/io/file.h"
#include "ldm/io/folder.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kFolderPrefix = "step-";
constexpr const char* kTemporary = ".tmp";
constexpr int64_t kManifestVersion = 1;

std::string folder_name(int64_t step) { return kFolderPrefix + std::to_string(step); }

// The step of a folder called step-N, or -1 for any other name.
int64_t step_of(const std::string& name) {
  const auto digits =
      name.starts_with(kFolderPrefix) ? name.substr(std::strlen(kFolderPrefix)) : std::string();
  if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  return std::stoll(digits);
}

// What a killed save leaves: a folder step-N.tmp, or the temporary file of `latest`.
bool is_leftover(const std::string& name) {
  const bool folder = name.ends_with(kTemporary) && step_of(fs::path(name).stem().string()) >= 0;
  return folder || name.starts_with(".latest.tmp-");
}

void sync_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor >= 0, ErrorKind::kData, path.string(), ": ", std::strerror(errno));
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  check(result == 0, ErrorKind::kData, path.string(), ": cannot sync: ", std::strerror(error));
}

Json file_entry(const fs::path& path) {
  const MappedFile file(path);
  return {{"size", file.bytes().size()}, {"sha256", sha256_hex(file.bytes())}};
}

Json read_manifest(const fs::path& folder) {
  const auto path = folder / kManifest;
  const auto text = read_text(path);
  auto manifest = parse_json(as_bytes(text), path.string());
  const auto is_integer = [&](const char* key) {
    return manifest.contains(key) && manifest[key].is_number_integer();
  };
  check(manifest.is_object() && is_integer("format") && is_integer("step") && is_integer("sequence") &&
            manifest.contains("files") && manifest["files"].is_object(),
        ErrorKind::kFormat, path.string(), ": expected format, step, sequence and files");
  check(manifest["format"] == kManifestVersion, ErrorKind::kFormat, path.string(), ": expected format ",
        kManifestVersion, ", got ", manifest["format"].dump());
  return manifest;
}

Checkpoint describe(const fs::path& folder, const Json& manifest) {
  return {manifest["step"].get<int64_t>(), manifest["sequence"].get<int64_t>(), folder};
}

void verify_file(const fs::path& folder, const std::string& name, const Json& want) {
  const auto path = folder / name;
  check(fs::path(name).filename() == name, ErrorKind::kFormat, kManifest, ": bad file name '", name, "'");
  const auto got = file_entry(path);
  check(want.is_object() && want.contains("size") && want.contains("sha256"), ErrorKind::kFormat,
        path.string(), ": expected size and sha256 in the manifest");
  check(got["size"] == want["size"], ErrorKind::kFormat, path.string(), ": expected ", want["size"].dump(),
        " bytes, got ", got["size"].dump());
  check(got["sha256"] == want["sha256"], ErrorKind::kFormat, path.string(),
        ": its content does not have the SHA-256 that the manifest gives");
}

void write_files(const fs::path& folder, int64_t step, int64_t sequence, const CheckpointFiles& files) {
  fs::create_directory(folder);
  Json manifest = {
      {"format", kManifestVersion}, {"step", step}, {"sequence", sequence}, {"files", Json::object()}};
  for (const auto& [name, write] : files) {
    write(folder / name);
    sync_file(folder / name);
    manifest["files"][name] = file_entry(folder / name);
  }
  write_file_atomic(folder / kManifest, to_json(manifest, 2) + "\n");  // Syncs the folder too.
}

}  // namespace

std::function<void(const fs::path&)> tensor_file_writer(StateDict tensors,
                                                        std::map<std::string, std::string> metadata) {
  return [tensors = std::move(tensors), metadata = std::move(metadata)](const fs::path& path) {
    write_tensor_file(path, tensors, metadata);
  };
}

std::function<void(const fs::path&)> text_file_writer(std::string text) {
  return [text = std::move(text)](const fs::path& path) { write_file_atomic(path, std::string_view(text)); };
}

Checkpoint verify_checkpoint(const fs::path& folder) {
  const auto manifest = read_manifest(folder);
  for (const auto& [name, entry] : manifest["files"].items()) verify_file(folder, name, entry);
  return describe(folder, manifest);
}

CheckpointStore::CheckpointStore(fs::path folder, int64_t keep) : folder_(std::move(folder)), keep_(keep) {
  check(keep >= 1, "checkpoints: expected to keep at least 1 checkpoint, got ", keep);
}

Checkpoint CheckpointStore::save(int64_t step, const CheckpointFiles& files) {
  check(step >= 0, "checkpoints: expected step >= 0, got ", step);
  for (const auto& [name, write] : files) {
    check(!name.empty() && fs::path(name).filename() == name && name != kManifest,
          "checkpoints: bad file name '", name, "'");
  }
  const auto target = folder_ / folder_name(step);
  const fs::path temporary = target.string() + kTemporary;
  try {
    fs::create_directories(folder_);
    fs::remove_all(temporary);
    const auto older = list();
    const int64_t sequence = older.empty() ? 1 : older.front().sequence + 1;
    write_files(temporary, step, sequence, files);
    replace_folder(temporary, target);
    write_file_atomic(folder_ / "latest", folder_name(step) + "\n");
    prune();
    return {step, sequence, target};
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    const std::string cause = error.what();
    const bool full = cause.find("No space") != std::string::npos || cause.find("quota") != std::string::npos;
    const bool hinted = cause.find("hint:") != std::string::npos;
    fail(ErrorKind::kData, "cannot save the checkpoint ", target.string(), " (", cause, ")",
         list().empty() ? "" : "; older checkpoints are intact",
         full && !hinted ? "; hint: free some space, or keep fewer checkpoints" : "");
  }
}

// All checkpoints with a readable manifest, the newest first.
std::vector<Checkpoint> CheckpointStore::list(const LogFn& log) const {
  std::vector<Checkpoint> out;
  if (!fs::is_directory(folder_)) return out;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (step_of(entry.path().filename().string()) < 0) continue;
    try {
      out.push_back(describe(entry.path(), read_manifest(entry.path())));
    } catch (const Error& error) {
      log_warning(log, "skipped checkpoint " + entry.path().string() + ": " + error.what());
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.sequence > b.sequence; });
  return out;
}

std::optional<Checkpoint> CheckpointStore::latest(const LogFn& log) const {
  for (const auto& checkpoint : list(log)) {
    try {
      return verify_checkpoint(checkpoint.folder);
    } catch (const Error& error) {
      log_warning(log, "skipped checkpoint " + checkpoint.folder.string() + ": " + error.what());
    }
  }
  check(!fs::is_directory(folder_) ||
            std::none_of(fs::directory_iterator(folder_), {},
                         [](const auto& entry) { return step_of(entry.path().filename().string()) >= 0; }),
        ErrorKind::kData, folder_.string(),
        ": none of the checkpoints can be read; hint: bring one back from a copy, or begin anew in another "
        "folder (--out)");
  return std::nullopt;
}

// An old checkpoint loses its name first: a half-removed one must not look like a checkpoint.
void CheckpointStore::prune() const {
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (is_leftover(entry.path().filename().string())) fs::remove_all(entry.path());
  }
  const auto known = list();
  for (size_t i = static_cast<size_t>(keep_); i < known.size(); ++i) {
    const fs::path doomed = known[i].folder.string() + kTemporary;
    rename_synced(known[i].folder, doomed);
    fs::remove_all(doomed);
  }
}

}  // namespace ldm
