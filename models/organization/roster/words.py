"""The roster's sheets and Chinese words, and what they are stored as (docs/formats.md)."""

from models.base.scope import Role
from models.base.spreadsheets import SheetForm
from models.organization.tables import PostRank, UnitKind

UNITS = SheetForm("单位", ("单位编码", "单位名称", "单位类型", "上级单位编码"))
PEOPLE = SheetForm("人员", ("人员编号", "姓名", "手机号"), ("企业微信账号",))
APPOINTMENTS = SheetForm("任职", ("人员编号", "单位编码", "职务", "类别", "任职起始"), ("任职截止", "代理"))
ROLES = SheetForm("角色", ("人员编号", "角色", "单位编码"))
FORMS = (UNITS, PEOPLE, APPOINTMENTS, ROLES)

KINDS = {
    "党工委/管委会": UnitKind.WORK_COMMITTEE,
    "党工委": UnitKind.WORK_COMMITTEE,
    "管委会": UnitKind.WORK_COMMITTEE,
    "纪检监察工委": UnitKind.DISCIPLINE_COMMITTEE,
    "部门": UnitKind.DEPARTMENT,
    "街道": UnitKind.SUBDISTRICT,
    "村(社区)": UnitKind.VILLAGE,
    "村": UnitKind.VILLAGE,
    "社区": UnitKind.VILLAGE,
    "集团": UnitKind.GROUP,
    "集团纪委": UnitKind.GROUP_COMMISSION,
    "国企": UnitKind.SOE,
}
RANKS = {"主要负责人": PostRank.PRINCIPAL, "分管负责人": PostRank.DEPUTY, "成员": PostRank.MEMBER}
ROLE_WORDS = {
    "干部": Role.CADRE,
    "单位负责人": Role.UNIT_LEADER,
    "检查人员": Role.INSPECTOR,
    "监督人员": Role.OVERSIGHT,
    "管理员": Role.ADMIN,
    "安全管理员": Role.SECURITY_ADMIN,
    "审计员": Role.AUDITOR,
}
KIND_WORDS = {kind: word for word, kind in reversed(KINDS.items())}  # the first word of a kind is the one written
RANK_WORDS = {rank: word for word, rank in RANKS.items()}
WORDS_OF_ROLES = {role: word for word, role in ROLE_WORDS.items()}
