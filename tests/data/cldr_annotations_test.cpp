#include "ldm/data/cldr_annotations.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

Annotations parse(const std::string& xml) {
  Annotations out;
  parse_annotations(as_bytes(xml), "x.xml", out);
  return out;
}

const std::string kHead = "<?xml version=\"1.0\"?>\n<!DOCTYPE ldml SYSTEM \"a.dtd\">\n";

TEST(CldrAnnotations, ReadsNamesAndKeywords) {
  const Annotations out = parse(kHead +
                                "<ldml><!-- no <annotation cp=\"\">--> <version number='1'/>\n<annotations>\n"
                                "<annotation cp=\"&amp;\">and | et | &lt;b&gt;</annotation>\n"
                                "<annotation cp=\"&amp;\" type=\"tts\"> ampersand </annotation>\n"
                                "<annotation cp=\"&#x1F600;\" type=\"tts\">caf&#233;</annotation>"
                                "</annotations></ldml>\n");
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out.at("&").name, "ampersand");
  EXPECT_EQ(out.at("&").keywords, (std::vector<std::string>{"and", "et", "<b>"}));
  EXPECT_EQ(out.at("\U0001F600").name, "caf\u00e9");
}

TEST(CldrAnnotations, ALaterFileAddsToAnEarlier) {
  Annotations out;
  parse_annotations(as_bytes("<a><annotation cp='x'>one</annotation></a>"), "1.xml", out);
  parse_annotations(as_bytes("<a><annotation cp='y'>two</annotation></a>"), "2.xml", out);
  EXPECT_EQ(out.size(), 2U);
}

TEST(CldrAnnotations, RefusesBrokenXml) {
  const std::vector<std::string> broken = {"",
                                           "text",
                                           "<a>",
                                           "<a></b>",
                                           "<a",
                                           "<a b>",
                                           "<a b=c></a>",
                                           "<a b='1' b='2'></a>",
                                           "<a></a><c></c>",
                                           "<!-- never ends",
                                           "<a><annotation cp='x'>&nope;</annotation></a>",
                                           "<a><annotation cp='x'>&#x110000;</annotation></a>",
                                           "<a><annotation cp='x'>&amp</annotation></a>",
                                           "<a><annotation cp='x'><b></b></annotation></a>",
                                           "<a><annotation>no cp</annotation></a>"};
  for (const std::string& xml : broken) {
    const std::string error = error_of(ErrorKind::kFormat, [&] { parse(xml); });
    EXPECT_TRUE(contains(error, "of x.xml")) << xml << ": " << error;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  EXPECT_TRUE(contains(error_of(ErrorKind::kFormat, [&] { parse(deep); }), "less depth"));
}

}  // namespace
}  // namespace ldm
