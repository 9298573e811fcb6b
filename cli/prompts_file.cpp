#include "cli/prompts_file.h"

#include <algorithm>
#include <string_view>

#include "cli/user_text.h"
#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/io/file.h"

namespace ldm::cli {

std::vector<std::string> read_prompts_file(const std::filesystem::path& file) {
  constexpr size_t kMost = 10000;
  const MappedFile mapped(file);
  std::string_view rest = without_byte_order_mark(as_text(mapped.bytes()));
  std::vector<std::string> prompts;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == line.npos || line.starts_with('#')) continue;
    check(prompts.size() < kMost, ErrorKind::kData, file.string(), ": expected at most ", kMost, " prompts");
    check_text(line, file.string() + ":" + std::to_string(number), ErrorKind::kFormat);
    prompts.emplace_back(line);
  }
  check(!prompts.empty(), ErrorKind::kData, file.string(), ": expected a prompt in each line, got none");
  return prompts;
}

std::string numbered_stem(size_t k, size_t prompts, const std::string& stem) {
  if (prompts == 1) return stem;
  const std::string number = std::to_string(k + 1), most = std::to_string(prompts);
  return std::string(most.size() - number.size(), '0') + number + "-" + stem;
}

}  // namespace ldm::cli
