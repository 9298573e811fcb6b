#include "ldm/core/names.h"

#include <gtest/gtest.h>

#include <vector>

namespace ldm {
namespace {

TEST(EditDistance, CountsTheFourEdits) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("dropuot", "dropout"), 1) << "a swap of neighbours is one edit";
  EXPECT_EQ(edit_distance("abcd", "abd"), 1);
}

TEST(NearestName, FindsTheIntendedOne) {
  const std::vector<std::string> names{"linear_start", "linear_end", "timesteps", "dropout"};
  EXPECT_EQ(nearest_name("linear_edn", names), "linear_end");
  EXPECT_EQ(nearest_name("Dropout", names), "dropout");
  EXPECT_EQ(nearest_name("timestep", names), "timesteps");
}

TEST(NearestName, IsSilentWhenNothingIsNear) {
  const std::vector<std::string> names{"linear_start", "a"};
  EXPECT_EQ(nearest_name("channels", names), "");
  EXPECT_EQ(nearest_name("b", names), "");
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), names), "") << "a hostile name costs nothing";
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(NearestName, AHintIsAPartOfASentence) {
  const std::vector<std::string> names{"heun", "euler"};
  EXPECT_EQ(nearest_hint("huen", names), "; did you mean 'heun'?");
  EXPECT_EQ(nearest_hint("plms", names), "");
  EXPECT_EQ(join_names(names), "heun, euler");
  EXPECT_EQ(join_names({}), "");
}

}  // namespace
}  // namespace ldm
