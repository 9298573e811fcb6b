#include "ldm/train/best_model.h"

#include <gtest/gtest.h>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

// Writes a counter in place of a model.
class CountingTask : public TrainTask {
 public:
  Scalars step(int64_t) override { return {}; }
  int64_t images_per_step() const override { return 1; }
  Scalars validate() override { return {}; }
  std::vector<std::pair<std::string, Image>> pictures() override { return {}; }
  std::map<std::string, StateDict> state() const override { return {}; }
  void load_state(const std::map<std::string, StateDict>&) override {}
  void export_model(const std::filesystem::path& path) const override {
    exported = path;
    ++exports;
  }
  mutable int exports = 0;
  mutable std::filesystem::path exported;
};

TEST(BestModel, KeepsTheLowestAndRemembersItOverAResume) {
  const TempFolder folder;
  const CountingTask task;
  {
    BestModel best(folder.path(), "loss", false);
    EXPECT_TRUE(best.look_at({{"loss", 2.0}}, 10, task));
    EXPECT_FALSE(best.look_at({{"loss", 3.0}}, 20, task));
    EXPECT_FALSE(best.look_at({{"loss", std::nan("")}}, 25, task));
    EXPECT_TRUE(best.look_at({{"loss", 1.5}}, 30, task));
  }
  EXPECT_EQ(task.exports, 2);
  EXPECT_EQ(task.exported, folder.path() / "best.safetensors");
  BestModel resumed(folder.path(), "loss", true);
  EXPECT_FALSE(resumed.look_at({{"loss", 1.7}}, 40, task));
  BestModel anew(folder.path(), "loss", false);
  EXPECT_TRUE(anew.look_at({{"loss", 1.7}}, 40, task));
}

TEST(BestModel, HigherPsnrIsBetter) {
  const TempFolder folder;
  const CountingTask task;
  BestModel best(folder.path(), "psnr", false);
  EXPECT_TRUE(best.look_at({{"psnr", 20}}, 1, task));
  EXPECT_TRUE(best.look_at({{"psnr", 21}}, 2, task));
  EXPECT_FALSE(best.look_at({{"psnr", 20.5}}, 3, task));
  BestModel resumed(folder.path(), "psnr", true);
  EXPECT_FALSE(resumed.look_at({{"psnr", 20.5}}, 4, task));
}

TEST(BestModel, WithoutAFigureNothingIsKept) {
  const TempFolder folder;
  const CountingTask task;
  EXPECT_FALSE(BestModel(folder.path(), "", false).look_at({{"loss", 1}}, 1, task));
}

TEST(MonitoredFigure, UnderstandsTheOriginalsNames) {
  EXPECT_EQ(monitored_figure("val/loss_simple_ema", {"loss"}), "loss");
  EXPECT_EQ(monitored_figure("val/loss", {"loss"}), "loss");
  EXPECT_EQ(monitored_figure("val/rec_loss", {"rec_loss", "psnr"}), "rec_loss");
  EXPECT_EQ(monitored_figure("", {"loss"}), "");
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { monitored_figure("val/fid", {"loss"}); }), "loss"));
}

TEST(BestModel, RefusesABrokenRecord) {
  const TempFolder folder;
  folder.write("best.json", "{\"figure\": 3}");
  EXPECT_TRUE(contains(error_of(ErrorKind::kFormat, [&] { BestModel(folder.path(), "loss", true); }),
                       "figure and value"));
}

}  // namespace
}  // namespace ldm
