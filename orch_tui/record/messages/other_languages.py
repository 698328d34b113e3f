"""The words of reports in other languages, put into English for those who read one.

What reads a message knows what English words do: *created*, *not*, *tests*, *passed*, *insights*.
The few words that reports are made of are put into those; the rest of a text stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from orch_tui.record.messages.patterns import compile_lazily

_SPELT: dict[str, str] = {
    # files
    "changed": "geändert geänderte geänderten angepasst aktualisiert überarbeitet erweitert"
    " bearbeitet umgebaut umgestellt verbessert vereinfacht modifié modifiée modifiés modifiées"
    " adapté adaptée étendu modificado modificada modificados modificadas modifiqué actualizado"
    " actualizada actualicé cambiado cambiados alterado alterados alterei atualizado atualizados"
    " atualizei modificato modificati aggiornato modificó actualizó cambió alterou atualizou"
    " modificou изменил изменила изменён изменен изменены"
    " обновил обновила обновлён обновлен обновлены измененные изменённые aangepast gewijzigd"
    " bijgewerkt ändrade ändrat uppdaterade uppdaterat zmieniono zmieniłem zmieniłam"
    " zaktualizowano güncellendi değiştirildi",
    "fixed": "behoben korrigiert repariert corrigé corrigée corregido corregí corrigió corrigido"
    " corrigi corrigiu"
    " corretto исправил исправила исправлен исправлены",
    "created": "angelegt erstellt erstellte geschrieben erzeugt neue neu créé créée créés créées"
    " écrit nouveau nouveaux creado creada creados creadas creé creó escrito escribió criado"
    " criados criei criou"
    " novo novos creato creati создал создала создан созданы новые новый aangemaakt gemaakt"
    " geschreven skapade skapat utworzono utworzyłem utworzyłam napisałem napisałam oluşturuldu",
    "added": "hinzugefügt ergänzt ajouté ajoutée ajoutés añadido añadida añadí añadió agregado"
    " agregué agregó"
    " adicionado adicionei adicionou aggiunto aggiunti добавил добавила добавлен добавлены"
    " toegevoegd dodano dodałem dodałam eklendi",
    "deleted": "gelöscht entfernt supprimé supprimée supprimés eliminado eliminada eliminé"
    " eliminó borró borrado"
    " removido removi removeu eliminato удалил удалила удалён удален удалены verwijderd usunięto"
    " silindi borttagen",
    "renamed": "umbenannt verschoben renommé renommée déplacé renombrado renombré movido"
    " renomeado"
    " rinominato переименовал переименован",
    "reports": "meldet melden zeigt signale signalent rapporte muestra reporta",
    "unchanged": "değiştirilmedi dokunulmadı uendret uændret oförändrad oförändrat oförändrade"
    " ongewijzigd inalterado inalterados invariato"
    " invariati niezmieniony niezmienione unverändert unangetastet inchangé inchangés",
    "files": "pliki plików plik filer dosyalar dosya soubory souborů файли dateien datei"
    " fichiers fichier archivos archivo ficheros arquivos arquivo файлы файл",
    # checks
    "tests": "testler testleri testy testów тести tester testsuite testlauf pruebas testes"
    " тесты тестов",
    "clean": "ren rena rein propre limpio limpia limpo schoon",
    "lint": "линтер",
    "type check": "typprüfung typcheck typkontroll typkontrollen",
    "formatting": "formatierung formatage formato форматирование",
    "build": "compilación compilação сборка",
    "coverage": "abdeckung testabdeckung couverture cobertura покрытие",
    "passed": "bestanden bestehen erfolgreich grün fehlerfrei sauber passent passés réussi"
    " réussis"
    " réussissent pasan pasaron pasó superadas superados exitosa exitosas passaram passam passou"
    " passano superati прошли проходят прошёл прошел пройдены успешно зелёные slagen geslaagd"
    " godkända godkänd lyckades correctas correctos passano passa passata passati riusciti"
    " riuscite superano przechodzą"
    " przeszły przechodzi zaliczone geçti geçiyor başarılı пройшли проходять prošly procházejí"
    " bestått läpäisty geslaagde",
    "failed": "fehlgeschlagen scheitern scheitert gescheitert échoué échoue échouent fallan"
    " falliscono fallisce fallita mislukt mislukken misslyckades nieudane başarısız selhaly"
    " fallaron falló fallidas falharam falham falhou falliti fallito провалились упали упал"
    " проваливаются",
    "errors": "fehler erreurs erreur errores erros errori ошибок ошибки",
    "warnings": "warnungen avertissements advertencias avisos предупреждений",
    # what is said of either
    "not": "nicht nie pas não не niet inte ikke",
    "nothing": "nichts rien nada ничего",
    "no": "kein keine keinen keiner keinerlei aucun aucune sin sem ninguno ninguna nenhum nenhuma"
    " без",
    "runs": "läuft laufen",
    "too": "ebenfalls également también também тоже",
    "all": "alla alle tous toutes todos todas tutti все",
    "and": "und sowie et и",
    "I have": "ho",
    "is": "ist está är",
    "read": "gelesen gelesene letto letti leído leídos leídas lido lidos прочитал прочитала"
    " прочитаны"
    " gelezen läst przeczytałem przeczytałam consulté consultés consultada consultado consultados"
    " consultati angesehen",
    "checked": "geprüft überprüft vérifié vérifiés revisado revisados verificado verificati",
    "examples": "exemples ejemplos beispiele",
    "failures": "échec échecs fallos falhas",
    "are": "sind sont son são sono",
    "was": "estaba era war waren wurde wurden été ont fue fueron foram был были",
    "now": "jetzt nun maintenant ahora agora теперь",
    "should": "sollte sollten müsste würde würden devrait devraient debería deberían deveria"
    " следует нужно",
    "planned": "geplant prévu planeado планируется",
    "done": "erledigt fertig abgeschlossen terminé terminée hecho terminado listo concluído feito"
    " fatto готово klaar gereed klart gotowe",
    # headings
    "validation": "prüfung prüfungen überprüfung validierung verifikation verifizierung"
    " vérification vérifications verificación validación validação verificação verifica"
    " проверка проверки",
    "changes": "änderung änderungen changements modifications cambios mudanças alterações"
    " modifiche"
    " изменения",
    "learned": "aprendida aprendidas appresa apprise",
    "insights": "lección leçon lição lezione lezioni erkenntnisse erkenntnis gelernt gelerntes"
    " lehren lektion lektionen enseignements"
    " leçons apprentissages aprendizajes lecciones hallazgos aprendizados lições выводы вывод"
    " уроки наблюдения",
    "notes": "hinweis hinweise anmerkung anmerkungen bemerkung bemerkungen remarque remarques"
    " nota"
    " observação observações observación osservazione osservazioni opmerking opmerkingen uwaga"
    " uwagi poznámka примітка notas примечание примечания заметки",
    "important": "wichtig wichtiges importante важно",
    "warning": "achtung warnung attention atención atenção внимание",
    "decisions": "entscheidung entscheidungen décision décisions decisión decisiones decisão"
    " decisões решение решения",
    "gotchas": "fallstricke stolperfallen stolperstein stolpersteine besonderheiten pièges",
    "root cause": "ursache",
    "recommended": "empfehlung empfehlungen vorschläge recommandations recomendaciones"
    " recomendações рекомендации",
}
_PHRASES: dict[str, str] = {
    "ich habe": "I have",
    "habe ich": "was",
    "j'ai": "I have",
    "ik heb": "I have",
    "jag har": "I have",
    "lade till": "added",
    "går igenom": "passed",
    "без изменений": "unchanged",
    "sem alterações": "unchanged",
    "bez zmian": "unchanged",
    "beze změny": "unchanged",
    "sin cambios": "unchanged",
    "senza modifiche": "unchanged",
    "sans modification": "unchanged",
    "nichts zu tun": "nothing to do",
    "zu ändern": "to change",
    "à changer": "to change",
    "da cambiare": "to change",
    "laufen durch": "passed",
    "laufen alle durch": "all passed",
    "läuft durch": "passed",
    "schlägt fehl": "failed",
    "schlagen fehl": "failed",
    "mis à jour": "updated",
    "nächste schritte": "next steps",
    "offene punkte": "next steps",
    "prochaines étapes": "next steps",
    "próximos pasos": "next steps",
    "próximos passos": "next steps",
    "следующие шаги": "next steps",
    "was ich gelernt habe": "what I learned",
    "ce que j'ai appris": "what I learned",
    "lo que aprendí": "what I learned",
    "o que aprendi": "what I learned",
    "не прошли": "failed",
    "nie zmieniałem": "not changed",
    "nie zmieniałam": "not changed",
    "nie ruszałem": "not changed",
    "не менялся": "not changed",
    "не менялась": "not changed",
    "не менялись": "not changed",
    "не тронут": "not changed",
    "ошибок нет": "no errors",
    "cause racine": "root cause",
    "causa raíz": "root cause",
}
_UNSPACED: dict[str, str] = {
    # files
    "changed": "修改 优化 完善 更新 更改 变更 變更 改动 调整 調整 重构 重構 変更 編集 改修"
    " 수정 변경 업데이트",
    "fixed": "修复 修復 修正 고쳤",
    "created": "新建 创建 創建 建立 编写 編寫 写入 生成 新規 新しい 作成 생성 작성 新文件",
    "done": "已完成 完成 完了 완료",
    "added": "新增 添加 增加 补充 補充 加入 追加 추가",
    "deleted": "删除 刪除 移除 削除 삭제",
    "renamed": "重命名 リネーム",
    "not changed": "変更していません 変更していない 変更しません 変更なし 変更はありません 수정하지"
    " 변경하지",
    "files": "文件 檔案 ファイル 파일",
    # checks
    "tests": "测试 測試 テスト 테스트",
    "type check": "类型检查 類型檢查 型チェック 타입 型検査",
    "lint": "静态检查 代码检查 リント リンター 린트",
    "formatting": "格式 格式化 フォーマット 포맷",
    "build": "构建 構建 编译 編譯 ビルド 빌드",
    "coverage": "覆盖率 覆蓋率 カバレッジ 커버리지",
    "passed": "通过 通過 成功 合格 パス 통과 성공 通りました 通っています",
    "failed": "失败 失敗 실패 未通过 未通過",
    "clean": "違反なし 問題なし 問題ありません エラーなし エラーはありません 无错误 没有错误"
    " 無錯誤 문제없음",
    "cases": "用例 ケース 케이스",
    "errors": "错误 錯誤 エラー 오류",
    "warnings": "警告 경고",
    "no warnings": "警告なし 无警告 没有警告",
    # what is said of either
    "not": "没有 沒有 并未 未 尚未 않았 않습니다",
    "all": "全部 所有 均 都 すべて 全て 모두",
    "and": "和 与 、 以及 および",
    "should": "应该 應該 需要 すべき 必要",
    # headings
    "deliverables": "交付物 成果物 納品物 산출물",
    "validation": "验证 驗證 検証 检查 確認 검증",
    "insights": "经验 經驗 心得 教训 發現 发现 洞察 见解 收获 学到 学んだこと 学び 知見 気づき"
    " わかったこと 発見 인사이트 배운 발견",
    "notes": "メモ 注意事项 注意事項 注意点 注意 备注 説明 备忘 補足 참고 주의",
    "decisions": "决策 决定 決定 判断 결정",
    "root cause": "根本原因 原因 원인",
    "recommended": "建议 建議 推奨 제안",
    "next steps": "下一步 后续 待办 次のステップ 今後 残作業 다음",
    "plan": "计划 計画 계획",
    "what was done": "実施内容 対応内容 作業内容 変更内容 变更内容 修改内容",
    "result": "결과 结果 結果",
    " ": "了 中 已"
    " を は です しました した された されました 的 は が も 을 를 했습니다 하였습니다",
}

_ENGLISH = {word: english for english, words in _SPELT.items() for word in words.split()}
_ENGLISH_OF_UNSPACED = {word: text for text, words in _UNSPACED.items() for word in words.split()}
_WORD = compile_lazily(r"[^\W\d_]+")
_EAST = compile_lazily(r"[\u3001-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uff65]")
_SPACES = compile_lazily(r" {2,}")
_COUNT = compile_lazily(r"(\d)\s?(?:件|个|個|项|項|条|개)")


def _any_of(texts: dict[str, str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


_PHRASE = compile_lazily(rf"\b(?:{_any_of(_PHRASES)})\b", re.I)
_FIRST_SIGNS = "".join({word[0] for word in _ENGLISH_OF_UNSPACED})
_UNSPACED_PATTERN = compile_lazily(f"(?=[{_FIRST_SIGNS}])(?:{_any_of(_ENGLISH_OF_UNSPACED)})")


@lru_cache(maxsize=500)  # what stands around a path is read for several questions
def put_into_english(text: str) -> str:
    """The same text with the words that reports are made of in English."""
    lowered = text.lower()
    if any(phrase in lowered for phrase in _PHRASES):
        text = _PHRASE.sub(lambda found: _PHRASES[found[0].lower()], text)
    if not _ENGLISH.keys().isdisjoint(_WORD.findall(lowered)):
        text = _WORD.sub(lambda found: _ENGLISH.get(found[0].lower(), found[0]), text)
    if not text.isascii() and _EAST.search(text):
        text = _COUNT.sub(r"\1 ", text)
        text = _UNSPACED_PATTERN.sub(lambda found: f" {_ENGLISH_OF_UNSPACED[found[0]]} ", text)
        text = _SPACES.sub(" ", text.translate(_WIDE))
    return text


_WIDE = str.maketrans(
    {"：": ": ", "；": "; ", "，": "; ", "。": ". ", "（": "(", "）": ")", "！": "! ", "？": "? "}
)
