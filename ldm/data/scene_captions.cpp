#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "ldm/data/scene.h"

namespace ldm {
namespace {

constexpr size_t kCaptions = 5;  // As many as COCO has.

// "peanuts", "french fries": a word for many.
bool is_plural(const std::string& name) {
  return name.ends_with("s") && !name.ends_with("us") && !name.ends_with("ss") && !name.ends_with("is");
}

std::string with_article(const std::string& name) {
  if (is_plural(name)) return "some " + name;
  const bool vowel =
      !name.empty() && std::string_view("aeiouAEIOU").find(name.front()) != std::string_view::npos;
  // "a ukulele", "a unicorn": a u that is spoken as "you".
  const bool you = name.starts_with("uk") || name.starts_with("uni");
  return (vowel && !you ? "an " : "a ") + name;
}

std::string plural(const std::string& name) {
  for (const std::string_view joint : {" of ", " on "}) {  // "pots of food"
    const size_t at = name.find(joint);
    if (at != name.npos) return plural(name.substr(0, at)) + name.substr(at);
  }
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  if (ends("fish") || ends("sheep") || ends("broccoli")) return name;
  if (ends("mouse")) return name.substr(0, name.size() - 5) + "mice";
  if (ends("s") || ends("sh") || ends("ch") || ends("x")) return name + "es";
  const bool consonant_y = ends("y") && name.size() > 1 &&
                           std::string_view("aeiou").find(name[name.size() - 2]) == std::string_view::npos;
  return consonant_y ? name.substr(0, name.size() - 1) + "ies" : name + "s";
}

std::string counted(const std::string& name, int64_t count) {
  constexpr std::array<std::string_view, 7> kWords = {"", "", "two ", "three ", "four ", "five ", "six "};
  if (count == 1 || is_plural(name)) return with_article(name);
  if (count < static_cast<int64_t>(kWords.size()))
    return std::string(kWords[static_cast<size_t>(count)]) + plural(name);
  return std::to_string(count) + " " + plural(name);
}

// "a, b and c"
std::string listed(const std::vector<std::string>& parts) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    out += parts[i];
  }
  return out;
}

std::vector<std::string> counted_kinds(const Scene& scene, std::span<const SceneSprite> sprites,
                                       Random& random) {
  std::map<int64_t, int64_t> counts;
  for (const SceneObject& object : scene.objects) ++counts[object.category];
  std::vector<std::string> out;
  for (const auto& [category, count] : counts) {
    out.push_back(counted(sprites[static_cast<size_t>(category)].name, count));
  }
  std::vector<std::string> shuffled;
  for (const int64_t i : permutation(static_cast<int64_t>(out.size()), Random(random.next()))) {
    shuffled.push_back(out[static_cast<size_t>(i)]);
  }
  return shuffled;
}

// "a bus left of an apple": two things of different kinds that stand well apart, or nothing.
std::string side_by_side(const Scene& scene, std::span<const SceneSprite> sprites, Random& random) {
  std::vector<std::string> found;
  for (const SceneObject& a : scene.objects) {
    for (const SceneObject& b : scene.objects) {
      if (a.category == b.category) continue;
      const std::string first = with_article(sprites[static_cast<size_t>(a.category)].name);
      const std::string second = with_article(sprites[static_cast<size_t>(b.category)].name);
      if (a.x + a.width <= b.x) found.push_back(first + " left of " + second);
      if (b.x + b.width <= a.x) found.push_back(first + " right of " + second);
      if (a.y + a.height <= b.y) found.push_back(first + " above " + second);
    }
  }
  if (found.empty()) return "";
  return found[static_cast<size_t>(random.below(static_cast<int64_t>(found.size())))];
}

}  // namespace

std::vector<std::string> describe_scene(const Scene& scene, std::span<const SceneSprite> sprites,
                                        Random random) {
  std::vector<std::string> out;
  while (out.size() < kCaptions) {
    const auto kinds = counted_kinds(scene, sprites, random);
    const std::string beside = side_by_side(scene, sprites, random);
    switch (out.size()) {
      case 1:
        out.push_back("a picture of " + listed(kinds));
        break;
      case 2:
        out.push_back(beside.empty() ? kinds.front() + " " + scene.phrase : beside);
        break;
      case 3:
        out.push_back(beside.empty() ? listed(kinds) : beside + " " + scene.phrase);
        break;
      default:
        out.push_back(listed(kinds) + " " + scene.phrase);
    }
  }
  return out;
}

}  // namespace ldm
