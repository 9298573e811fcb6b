#include "cli/picture_kind.h"

#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/io/file.h"

namespace ldm::cli {

std::string picture_kind(std::span<const std::byte> bytes) {
  switch (sniff_image(bytes)) {
    case ImageFormat::kPng:
      return "a PNG picture";
    case ImageFormat::kJpeg:
      return "a JPEG picture";
    case ImageFormat::kWebp:
      return "a WebP picture";
    default:  // Two letters are all that marks a BMP: other files may begin so.
      return {};
  }
}

void refuse_picture(const std::filesystem::path& file, const std::string& wanted) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return;
  const auto kind = picture_kind(MappedFile(file).bytes());
  check(kind.empty(), ErrorKind::kData, file.string(), ": ", kind, ", not ", wanted);
}

}  // namespace ldm::cli
