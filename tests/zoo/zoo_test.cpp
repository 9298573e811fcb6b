#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/model/ignored_settings.h"
#include "tests/zoo/published.h"

namespace ldm::zoo {
namespace {

namespace fs = std::filesystem;

fs::path source_folder() { return std::getenv("LDM_SOURCE_DIR"); }
fs::path zoo_folder() { return source_folder() / "configs/zoo"; }
fs::path key_folder() { return source_folder() / "tests/golden/reference/keys"; }

const auto& published() {
  static const auto table = read_published(source_folder() / "tests/zoo/published.tsv");
  return table;
}

const ModelPart* find_part(const ModelLayout& layout, const std::string& name) {
  for (const auto& part : layout.parts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

TEST(Zoo, EveryFileIsInTheTable) {
  std::set<std::string> known;
  for (const auto& [file, parts] : published()) known.insert(file + ".yaml");
  for (const auto& entry : fs::recursive_directory_iterator(zoo_folder())) {
    if (entry.path().extension() != ".yaml") continue;
    EXPECT_EQ(known.count(fs::relative(entry.path(), zoo_folder()).string()), 1u) << entry.path();
  }
}

TEST(Zoo, NamesShapesAndCountsAreTheOriginals) {
  std::ofstream table;
  if (const char* path = std::getenv("LDM_ZOO_TABLE")) table.open(path);
  table << "| model | part | parameters | tensors | names and shapes compared |\n|---|---|---|---|---|\n";
  for (const auto& [file, parts] : published()) {
    SCOPED_TRACE(file);
    const auto layout = lay_out_model(read_yaml(zoo_folder() / (file + ".yaml")));
    EXPECT_EQ(layout.parts.size(), parts.size());
    for (const auto& want : parts) {
      SCOPED_TRACE(want.name);
      const auto* part = find_part(layout, want.name);
      ASSERT_NE(part, nullptr);
      const auto found = differences(*part, want, key_folder());
      for (size_t i = 0; i < found.size() && i < 5; ++i) ADD_FAILURE() << found[i];
      table << "| " << file << " | " << want.name << " | " << part->parameters() << " | "
            << part->tensors.size() << " | "
            << (want.keys.empty() ? want.parameters == "?" ? "never released" : "count" : "all") << " |\n";
    }
  }
}

TEST(Zoo, OneHeadWhereTheCheckpointsOf2021NeedIt) {
  for (const char* file : {"ldm/cin256", "ldm/text2img256", "ldm/layout2img-openimages256"}) {
    const auto config = read_yaml(zoo_folder() / (std::string(file) + ".yaml"));
    EXPECT_EQ(config.find_path("model.params.unet_config.params.head_rule")->text(), "one_head") << file;
  }
}

TEST(Zoo, NamesWhatHasNoEffectOnce) {
  const auto ignored = ignored_settings(read_yaml(zoo_folder() / "latent-diffusion/celebahq-ldm-vq-4.yaml"));
  const std::set<std::string> once(ignored.begin(), ignored.end());
  EXPECT_EQ(once.size(), ignored.size());
  EXPECT_EQ(once.count("model.params.log_every_t: sampling keeps no steps in between"), 1u);
  EXPECT_EQ(once.count("lightning: the section train says how to train"), 1u);
}

TEST(Zoo, AnUnknownKeyNamesTheNearestAndThePlace) {
  auto config = parse_yaml("model:\n  target: unet_\n", "x.yaml");
  EXPECT_THROW(lay_out_model(config), Error);
  config = read_yaml(zoo_folder() / "first_stage/kl-f8.yaml");
  config.find("model")->find("params")->find("ddconfig")->set("ch_mul", Node::integer(1));
  try {
    lay_out_model(config);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("model.params.ddconfig.ch_mul"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("'ch_mult'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace ldm::zoo
