#pragma once

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm::cli {

// A file name made of a prompt: lower case, words joined by '-', at most 60 characters; "class-7" or "image"
// without.
std::string slug(std::string_view prompt, int64_t label);

// What a file name may say about a picture.
struct NameFields {
  std::string prompt;  // In a name its slug.
  int64_t label = -1;
  uint64_t seed = 0;
  int64_t n = 0;  // The picture's number in its run, from 0.
  std::string sampler;
  int64_t steps = 0;
  double guidance = 1.0;
  int64_t width = 0, height = 0;  // Pixels.
  std::string model;              // In a name its slug.
  std::tm began = {};             // Local time at which the run began.
};

// What can be said of any run. Only began is known where nothing is drawn.
inline constexpr std::string_view kFieldsOfAny[] = {"date", "time"};
NameFields fields_of_now();

// A name with fields in braces: "out/{prompt}-{seed}-{n:03}.png". Fields: prompt, seed, n, date, time,
// sampler, steps, guidance, width, height, model. Whole numbers take a width after a colon and are filled up
// with zeros. "{{" and "}}" are braces. No value holds a '/' or begins with a dot.
class NamePattern {
 public:
  // `fields`: those that may stand there, empty for all. Throws kUsage: another field, a brace without its
  // other half, a width that is none.
  explicit NamePattern(std::string_view text, std::span<const std::string_view> fields = {});

  bool has_fields() const;
  bool uses(std::string_view field) const;
  std::string expand(const NameFields& fields) const;

 private:
  struct Part {
    std::string text;  // As it stands, or the name of a field.
    bool field = false;
    size_t width = 0;
  };
  static Part read_field(std::string_view inside, std::string_view whole,
                         std::span<const std::string_view> fields);

  std::vector<Part> parts_;
};

}  // namespace ldm::cli
