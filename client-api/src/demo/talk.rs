//! Who lives in the hamlet, and what they talk about.

/// Somebody who lives there.
pub(super) struct Name {
    /// The user name.
    pub(super) username: &'static str,
    /// The display name.
    pub(super) name: &'static str,
    /// The biography.
    pub(super) bio: &'static str,
}

const fn name(username: &'static str, name: &'static str, bio: &'static str) -> Name {
    Name { username, name, bio }
}

/// Everybody.
pub(super) const NAMES: [Name; 20] = [
    name("lan", "Lan Nguyễn", "Trồng rau, chụp ảnh, kể chuyện xóm. #vườn"),
    name("minh", "Minh Trần", "Sửa xe đạp, chơi cờ tướng cuối tuần."),
    name("hoa", "Hoa Phạm", "Cô giáo lớp ba. Thích sách và mưa."),
    name("an", "An Lê", "Lập trình viên, uống quá nhiều cà phê."),
    name("binh", "Bình Võ", "Đầu bếp quán cơm đầu ngõ."),
    name("chi", "Chi Đặng", "Bác sĩ thú y; hai con mèo làm chủ nhà."),
    name("dung", "Dũng Bùi", "Thợ mộc. Đồ gỗ dùng được trăm năm."),
    name("giang", "Giang Đỗ", "Chạy bộ mỗi sáng dọc bờ sông."),
    name("ha", "Hà Hồ", "Y tá ca đêm, ngủ ban ngày."),
    name("khanh", "Khánh Ngô", "Dạy đàn tranh cho trẻ con trong xóm."),
    name("alice", "Alice Martin", "Moved here for a year, stayed for ten. Bakes bread."),
    name("bob", "Bob Keller", "Old radios, new antennas."),
    name("carol", "Carol Okafor", "Water engineer. Rivers have rights too."),
    name("david", "David Lindqvist", "Bicycles, maps, and the shortest way between them."),
    name("emma", "Emma Rossi", "Choir on Tuesdays, garden on all other days."),
    name("farid", "Farid Haddad", "Repairs clocks. Time is relative, noon is not."),
    name("grace", "Grace Kim", "Librarian. Ask me anything, quietly."),
    name("hugo", "Hugo Alvarez", "Photographs of doors and the cats before them."),
    name("ines", "Inês Duarte", "Bees. Mostly bees."),
    name("jonas", "Jonas Weber", "Retired postman who still knows every address."),
];

/// What can be said of one thing.
struct Topic {
    language: &'static str,
    openings: [&'static str; 3],
    endings: [&'static str; 3],
    answers: [&'static str; 2],
    options: [&'static str; 3],
    warning: &'static str,
    tag: &'static str,
}

const TOPICS: [Topic; 6] = [
    Topic {
        language: "vi",
        openings: [
            "Sáng nay ra vườn thấy cà chua chín đỏ.",
            "Mưa cả đêm, rau muống lên nhanh quá.",
            "Ai cần cây giống húng quế thì qua lấy nhé.",
        ],
        endings: ["Cả xóm ăn cũng không hết.", "Chiều nay tôi mang ra đầu ngõ.", "Đất năm nay tốt thật."],
        answers: ["Để phần tôi một ít với!", "Bón phân gì mà tốt thế?"],
        options: ["Cà chua", "Dưa leo", "Bí đao"],
        warning: "ảnh có sâu",
        tag: "vườn",
    },
    Topic {
        language: "vi",
        openings: ["Quán đầu ngõ có món bún riêu mới.", "Hôm nay nấu canh chua cá lóc.", "Cà phê sáng, trời se lạnh."],
        endings: ["Ngon hơn tôi nghĩ.", "Ai rảnh thì ghé.", "Ăn xong mới nhớ chụp ảnh."],
        answers: ["Mai đi với tôi nhé.", "Nhìn là thấy đói rồi."],
        options: ["Bún riêu", "Phở", "Cơm tấm"],
        warning: "đồ ăn",
        tag: "món_ngon",
    },
    Topic {
        language: "vi",
        openings: ["Mất điện từ sáu giờ tối.", "Đường ven sông đang sửa.", "Thứ bảy này xóm mình dọn kênh."],
        endings: ["Nhớ mang theo đèn pin.", "Mọi người đi lối chợ nhé.", "Có nước chè và bánh cho người đến."],
        answers: ["Cảm ơn đã báo!", "Tôi sẽ đến, mang theo xẻng."],
        options: ["Thứ bảy", "Chủ nhật", "Ngày khác"],
        warning: "tin không vui",
        tag: "tin_xóm",
    },
    Topic {
        language: "en",
        openings: [
            "The bees came back to the old pear tree.",
            "Bread number four hundred is in the oven.",
            "Found a radio from 1961 at the market.",
        ],
        endings: ["It still works, more or less.", "I may have shouted a little.", "Come by if you want to see it."],
        answers: ["That is wonderful news.", "Save me a slice, or a seat."],
        options: ["Yes", "No", "Ask me tomorrow"],
        warning: "insects",
        tag: "smallthings",
    },
    Topic {
        language: "en",
        openings: [
            "The river is forty centimetres lower than last year.",
            "Someone left the workshop light on again.",
            "The library has a new shelf for maps.",
        ],
        endings: [
            "Notes: https://example.org/river/notes",
            "I am looking at you, all of you.",
            "Borrow them, they do not bite.",
        ],
        answers: ["Are there numbers for the other bank?", "It was not me this time."],
        options: ["Workshop", "Library", "Riverbank"],
        warning: "complaining",
        tag: "neighbourhood",
    },
    Topic {
        language: "en",
        openings: [
            "Trying an app that talks to my own node.",
            "My posts live in a folder under my desk now.",
            "Backed everything up before breakfast.",
        ],
        endings: [
            "Feels like it should always have been so.",
            "No queue, no landlord.",
            "The cat sat on it, so it is well guarded.",
        ],
        answers: ["Which app? I want to try it.", "Mine is on the bookshelf, next to the dictionary."],
        options: ["At home", "At a friend's", "Both"],
        warning: "computers",
        tag: "xom",
    },
];

/// What somebody says, or would answer, ask, warn of.
pub(super) struct Said {
    /// As a post of its own.
    pub(super) text: String,
    /// As an answer.
    pub(super) answer: String,
    /// The choices where it is asked.
    pub(super) options: [&'static str; 3],
    /// The content warning, where there is one.
    pub(super) warning: &'static str,
    /// The language.
    pub(super) language: &'static str,
}

impl Said {
    /// The next thing that comes to mind.
    pub(super) fn next(dice: &mut Dice) -> Self {
        let topic = &TOPICS[dice.below(TOPICS.len())];
        let (opening, ending) = (topic.openings[dice.below(3)], topic.endings[dice.below(3)]);
        let tag = if dice.below(3) == 0 { format!(" #{}", topic.tag) } else { String::new() };
        Self {
            text: format!("{opening} {ending}{tag}"),
            answer: topic.answers[dice.below(2)].to_owned(),
            options: topic.options,
            warning: topic.warning,
            language: topic.language,
        }
    }
}

/// Numbers that are the same on every run. For choices alone, never for keys.
pub(super) struct Dice(u64);

impl Dice {
    /// Those of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, which is not 0. SplitMix64 by Steele, Lea and Flood.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).unwrap_or(0)
    }
}
